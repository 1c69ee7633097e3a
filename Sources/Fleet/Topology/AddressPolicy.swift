import Config
import Redis
import Runtime

/// Why one who is announced is not watched. Raw values are label values.
enum MemberRefusal: String, Sendable, CaseIterable {
  /// No address in full, no name: a path, `127.1`, `0x7f000001`.
  case form
  /// Unspecified, loopback or link-local, where no seed is.
  case scope
  /// `members.allow` does not name it.
  case allow
  /// Named by few, or too many at once: what ``Admission`` says.
  case unconfirmed
  /// Only a list of replicas names it, and no replica answers there: ``Following/unproven``.
  case unproven
}

/// Which of the addresses that peers announce may be connected to, and given the workload's credentials.
///
/// The seeds always may. Where `members.allow` is set, the others must match it. Everything else must be an IP address or
/// a host name as such, and one that reaches only this machine or this link is taken only where a seed is such, too.
struct AddressPolicy: Sendable {
  private let seeds: Set<NodeAddress>
  private var scopes: Set<IPAddress.Scope>
  private let allowed: HostFilter
  private let rewrites: [AddressRewrite]

  init(_ config: WorkloadConfig) {
    self.init(
      seeds: (config.seeds + (config.sentinel?.seeds ?? [])).map { NodeAddress($0) },
      allowed: config.members.allowed, rewrites: config.addressRewrites)
  }

  init(seeds: [NodeAddress], allowed: HostFilter, rewrites: [AddressRewrite] = []) {
    self.seeds = Set(seeds)
    scopes = Set(seeds.compactMap(Self.scope))
    self.allowed = allowed
    self.rewrites = rewrites
  }

  /// What the nodes of one server's cluster may have for addresses. Of a server by name it is not known where it is: nothing
  /// is said of the scope then.
  init(target: Endpoint) {
    switch target {
    case .unix(let path): self.init(seeds: [NodeAddress(host: path, port: 0)], allowed: HostFilter())
    case .tcp(let host, let port):
      self.init(seeds: [NodeAddress(host: host, port: port)], allowed: HostFilter())
      if IPAddress(host) == nil { scopes = [.loopback, .linkLocal] }
    }
  }

  func refusal(of endpoint: Endpoint) -> MemberRefusal? {
    guard case .tcp(let host, let port) = endpoint else { return .form }
    return refusal(of: NodeAddress(host: host, port: port))
  }

  /// A unix socket and `localhost` are of this machine.
  private static func scope(of seed: NodeAddress) -> IPAddress.Scope? {
    seed.isPath || seed.host.lowercased() == "localhost" ? .loopback : IPAddress(seed.host)?.scope
  }

  /// Whether it is one of the configuration's own.
  func isSeed(_ address: NodeAddress) -> Bool { seeds.contains(address) }

  /// nil for an address that may be connected to.
  func refusal(of address: NodeAddress) -> MemberRefusal? {
    if isSeed(address) { return nil }
    guard address.port > 0 else { return .form }
    let host = rewrites.apply(host: address.host, port: address.port).host
    // What a rule names is the configuration's own word.
    let isRewritten = host != address.host
    guard let literal = IPAddress(host) else {
      guard isRewritten || isHostName(host) else { return .form }
      let isAllowed =
        !allowed.hasNames || allowed.allows(host: host) || isRewritten && allowed.allows(host: address.host)
      return isAllowed ? nil : .allow
    }
    if allowed.hasNetwork(of: literal) { return nil }
    if !allowed.isEmpty, !allowed.allows(host: host), !(isRewritten && allowed.allows(host: address.host)) {
      return .allow
    }
    return isRewritten || isInScope(literal) ? nil : .scope
  }

  /// The name that a peer announces for the server at an address, where its certificate may be made out to that; nil where
  /// it is no host name, or `members.allow` names others.
  func certifiedName(_ announced: String?) -> String? {
    guard let announced, isHostName(announced), !allowed.hasNames || allowed.allows(host: announced) else { return nil }
    return announced
  }

  /// Whether a name's address may be connected to; nil where nothing is to be looked at.
  func check(of address: NodeAddress) -> (@Sendable (String) -> Bool)? {
    let host = rewrites.apply(host: address.host, port: address.port).host
    guard !isSeed(address), host == address.host, IPAddress(host) == nil else { return nil }
    return { text in
      guard let literal = IPAddress(text) else { return false }
      if allowed.hasNetworks { return allowed.hasNetwork(of: literal) }
      return isInScope(literal)
    }
  }

  private func isInScope(_ address: IPAddress) -> Bool { address.scope.map { scopes.contains($0) } ?? true }
}

/// Whether a text is a host name in full. Whatever the system's resolver would read as a number is none: `127.1`, `0x7f.1`.
func isHostName(_ text: String) -> Bool {
  let name = text.hasSuffix(".") ? text.dropLast() : text[...]
  guard !name.isEmpty, name.utf8.count <= 253 else { return false }
  let labels = name.split(separator: ".", omittingEmptySubsequences: false)
  let areWords = labels.allSatisfy { label in
    (1...63).contains(label.utf8.count)
      && label.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_".utf8.contains($0) }
  }
  guard areWords, let last = labels.last?.lowercased() else { return false }
  let digits = last.hasPrefix("0x") ? last.dropFirst(2) : last[...]
  return !digits.allSatisfy { $0.isHexDigit && (last.hasPrefix("0x") || $0.isNumber) }
}
