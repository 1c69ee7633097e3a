/// How to reach a server whose announced address means nothing here, as behind NAT: `from: 10.1.0.5:*`,
/// `to: redis.example.org:*`.
///
/// `from` is a host, a glob over hosts or a network (`10.1.0.0/16`), with a port or `*` for any. In `to`, a `*` keeps
/// the host or port as it was. A port left out is `*`.
public struct AddressRewrite: Sendable, Hashable {
  public let from: String
  public let to: String
  private let hosts: HostFilter
  private let port: Int?
  private let newHost: String?
  private let newPort: Int?

  public static func == (a: AddressRewrite, b: AddressRewrite) -> Bool { a.from == b.from && a.to == b.to }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(from)
    hasher.combine(to)
  }

  init(_ fields: MappingReader) {
    let from = fields.required(
      "from", .addressPattern,
      "Announced addresses that the rule is for: a host, a glob or a network, with a port or `*`.")
    let to = fields.required(
      "to", .addressPattern, "Where to connect instead; `*` keeps the host or the port.")
    self.from = from.text
    self.to = to.text
    port = from.port
    newPort = to.port
    newHost = to.host == "*" ? nil : to.host
    do throws(Mismatch) {
      hosts = try HostFilter.parse(from.host)
    } catch {
      hosts = HostFilter(rules: [])
      fields.report("from", value: error.part, problem: error.problem, hint: error.hint)
    }
    if to.host != "*", to.host.contains(where: { "*?/".contains($0) }) {
      fields.report("to", value: to.text, problem: "is not one host", hint: "write a host or * to keep it")
    }
  }

  /// The address to connect to, or nil when the rule is not about this one. An IPv6 host is without brackets.
  public func apply(host: String, port: Int) -> (host: String, port: Int)? {
    guard hosts.allows(host: host), self.port == nil || self.port == port else { return nil }
    return (newHost ?? host, newPort ?? port)
  }
}

extension Sequence<AddressRewrite> {
  /// The address to connect to: by the first rule that is about it, else the address itself.
  public func apply(host: String, port: Int) -> (host: String, port: Int) {
    lazy.compactMap { $0.apply(host: host, port: port) }.first ?? (host, port)
  }
}

/// A host pattern without brackets, and a port or nil for any.
struct AddressPattern: Sendable {
  var text = ""
  var host = ""
  var port: Int?
}

extension ScalarType<AddressPattern> {
  static var addressPattern: ScalarType {
    ScalarType(placeholder: AddressPattern(), name: "address pattern") { text throws(Mismatch) in
      do throws(Mismatch) {
        return try AddressPattern(parsing: text)
      } catch {
        throw error.of(address: text)
      }
    }
  }
}

extension AddressPattern {
  fileprivate init(parsing text: String) throws(Mismatch) {
    let hint = "write it like 10.1.0.5:6379, 10.1.0.0/16:* or [fd00::1]:*"
    guard !text.contains("@") else { throw Mismatch("holds credentials", hint: hint) }
    var host = text[...]
    var portText: Substring = "*"
    if text.first == "[", let close = text.firstIndex(of: "]") {
      host = text[..<close].dropFirst()
      let rest = text[close...].dropFirst()
      guard rest.isEmpty || rest.first == ":" else { throw Mismatch("is not host:port", hint: hint) }
      if !rest.isEmpty { portText = rest.dropFirst() }
    } else if let colon = text.lastIndex(of: ":") {
      guard text.firstIndex(of: ":") == colon else { throw Mismatch("needs brackets around IPv6", hint: hint) }
      host = text[..<colon]
      portText = text[colon...].dropFirst()
    }
    guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "," }) else {
      throw Mismatch("has no host", hint: hint)
    }
    self.init(text: text, host: String(host))
    guard portText != "*" else { return }
    guard let port = Int(portText), (1...65535).contains(port) else {
      throw Mismatch("does not end in a port", hint: "use 1 to 65535, or * for any")
    }
    self.port = port
  }
}
