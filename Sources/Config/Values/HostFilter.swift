/// Which hosts a caller may name: globs over host names, networks in CIDR form, and globs over paths of unix sockets.
public struct HostFilter: Sendable, Equatable {
  enum Rule: Sendable, Equatable {
    /// Lower case; `*` stands for any characters and `?` for one.
    case glob([UInt8])
    case network(IPAddress, prefixBits: Int)
    /// Begins with a slash; `*` and `?` stand for no slash.
    case path([UInt8])
  }

  let rules: [Rule]

  init(rules: [Rule]) { self.rules = rules }

  /// No bounds.
  public init() { rules = [] }

  /// True when nothing was listed, which sets no bounds.
  public var isEmpty: Bool { rules.isEmpty }

  /// The elements of a comma-separated list, such as `redis-*.internal,10.0.0.0/8,::1,/run/redis/*.sock`.
  public static func parse(_ text: String) throws(Mismatch) -> HostFilter {
    var rules: [Rule] = []
    for element in text.split(separator: ",") {
      let element = String(trimmed(element))
      if !element.isEmpty { rules.append(try rule(element, takesPaths: true)) }
    }
    return HostFilter(rules: rules)
  }

  /// - Parameter takesPaths: whether a path of a unix socket is a rule.
  static func rule(_ element: String, takesPaths: Bool = false) throws(Mismatch) -> Rule {
    let path = element.hasPrefix("unix:///") ? element.dropFirst("unix://".count) : element[...]
    if takesPaths, path.hasPrefix("/") { return .path(Array(path.utf8)) }
    let notAHost = Mismatch(
      takesPaths ? "is neither a host, a network nor a path" : "is neither a host nor a network",
      hint: takesPaths
        ? "list hosts without port or scheme, networks, and paths of sockets"
        : "list hosts without port or scheme, and networks",
      part: element)
    guard !element.contains("://"), !element.hasPrefix("/") else { throw notAHost }
    let bare = element.hasPrefix("[") && element.hasSuffix("]") ? String(element.dropFirst().dropLast()) : element
    if let address = IPAddress(bare) { return .network(address, prefixBits: address.bytes.count * 8) }
    let halves = element.split(separator: "/", omittingEmptySubsequences: false)
    if halves.count == 1 {
      guard !element.contains(":") else { throw notAHost }
      return .glob(Array(element.lowercased().utf8))
    }
    guard halves.count == 2, let network = IPAddress(String(halves[0])), let bits = Int(halves[1]),
      (0...network.bytes.count * 8).contains(bits)
    else {
      throw Mismatch("is not a network", hint: "write it like 10.0.0.0/8 or fd00::/8", part: element)
    }
    return .network(network, prefixBits: bits)
  }

  /// True when a rule matches the host, a name or a literal address without port and brackets, or when there are none.
  /// Names are never resolved: a network matches literal addresses only.
  public func allows(host: String) -> Bool {
    if isEmpty { return true }
    let address = IPAddress(host)
    let name = Array(host.lowercased().utf8)
    return rules.contains { rule in
      switch rule {
      case .glob(let pattern): Self.matches(name[...], pattern[...])
      case .network(let network, let bits): address?.isWithin(network, prefixBits: bits) ?? false
      case .path: false
      }
    }
  }

  /// True when a rule matches the path of a unix socket, or when there are no rules. Links are not followed; a path with
  /// `.`, `..` or an empty part matches nothing.
  public func allows(socketPath path: String) -> Bool {
    if isEmpty { return true }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if parts.contains(where: { ["", ".", ".."].contains($0) }) { return false }
    let name = Array(path.utf8)
    return rules.contains { rule in
      if case .path(let pattern) = rule { Self.matches(name[...], pattern[...], isPath: true) } else { false }
    }
  }

  /// Whether there are names, and networks, among the rules.
  public var hasNames: Bool {
    rules.contains { if case .glob = $0 { true } else { false } }
  }
  public var hasNetworks: Bool {
    rules.contains { if case .network = $0 { true } else { false } }
  }

  /// Whether a network matches. What reaches no other machine must be named as such: `0.0.0.0/0` leaves loopback out.
  public func hasNetwork(of address: IPAddress) -> Bool {
    rules.contains { rule in
      guard case .network(let network, let bits) = rule, address.isWithin(network, prefixBits: bits) else {
        return false
      }
      return address.scope == nil || network.scope == address.scope && bits >= 8
    }
  }

  /// Linear in the product of the lengths: on a mismatch only the last `*` takes one more character.
  private static func matches(
    _ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>, isPath: Bool = false
  ) -> Bool {
    func isBarrier(_ byte: UInt8) -> Bool { isPath && byte == UInt8(ascii: "/") }
    var n = name.startIndex
    var p = pattern.startIndex
    var lastStar: (pattern: Int, name: Int)?
    while n < name.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        lastStar = (p, n)
        p += 1
      } else if p < pattern.endIndex, pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?") && !isBarrier(name[n]) {
        n += 1
        p += 1
      } else if let star = lastStar, !isBarrier(name[star.name]) {
        lastStar = (star.pattern, star.name + 1)
        n = star.name + 1
        p = star.pattern + 1
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
