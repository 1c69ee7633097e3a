import Runtime

/// A server that discovery starts from: `host:port`, `[::1]:6379`, a `redis`, `rediss`, `valkey`, `valkeys` or `tcp`
/// URL, or `unix:///path`. Never with credentials, which have a block of their own.
public struct SeedAddress: Sendable, Hashable, CustomStringConvertible {
  public enum Endpoint: Sendable, Hashable {
    /// An IPv6 host is without brackets.
    case tcp(host: String, port: Int)
    case unix(path: String)
  }

  public let endpoint: Endpoint
  /// What a URL's scheme says; nil for an address without one, which leaves it to the `tls` block.
  public let schemeUsesTLS: Bool?

  /// Without the scheme of a URL: `host:port`, `[ipv6]:port` or `unix:///path`.
  public var description: String {
    switch endpoint {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix://\(path)"
    }
  }

  /// The address once it is settled whether its workload uses TLS.
  var withoutScheme: SeedAddress { SeedAddress(endpoint: endpoint, schemeUsesTLS: nil) }

  static func parse(_ text: String, defaultPort: Int) throws(Mismatch) -> SeedAddress {
    if text.contains("@"), !text.hasPrefix("unix:///") {
      throw Mismatch("holds credentials", hint: "take them out of the address and use credentials")
    }
    if let cut = text.firstIndex(where: { $0 == "?" || $0 == "#" }) {
      throw Mismatch("has a part after the address", hint: "write host:port", part: String(text[..<cut]) + "…")
    }
    var rest = text[...]
    var schemeUsesTLS: Bool?
    if let mark = text.firstRange(of: "://") {
      rest = text[mark.upperBound...]
      switch text[..<mark.lowerBound].lowercased() {
      case "redis", "valkey", "tcp": schemeUsesTLS = false
      case "rediss", "valkeys": schemeUsesTLS = true
      case "unix":
        guard rest.hasPrefix("/") else {
          throw Mismatch("is not an absolute path", hint: "write it like unix:///run/redis.sock")
        }
        return SeedAddress(endpoint: .unix(path: String(rest)), schemeUsesTLS: nil)
      default:
        throw Mismatch("has an unknown scheme", hint: "use redis, rediss, valkey, valkeys, tcp or unix")
      }
    }
    if rest.hasSuffix("/") { rest.removeLast() }
    guard !rest.contains("/") else {
      throw Mismatch("names a database or path", hint: "a server is watched as a whole: write host:port")
    }
    let (host, port) = try hostAndPort(rest, defaultPort: defaultPort)
    return SeedAddress(endpoint: .tcp(host: host, port: port), schemeUsesTLS: schemeUsesTLS)
  }

  private static func hostAndPort(_ text: Substring, defaultPort: Int) throws(Mismatch) -> (String, Int) {
    let hint = "write host:port, 10.0.0.1:6379 or [::1]:6379"
    var host = text
    var portText: Substring?
    if text.first == "[" {
      guard let close = text.firstIndex(of: "]") else { throw Mismatch("has no closing bracket", hint: hint) }
      host = text[..<close].dropFirst()
      let rest = text[close...].dropFirst()
      guard rest.isEmpty || rest.first == ":" else { throw Mismatch("is not host:port", hint: hint) }
      portText = rest.isEmpty ? nil : rest.dropFirst()
      guard IPAddress(String(host))?.isIPv6 == true else { throw Mismatch("is not an IPv6 address", hint: hint) }
    } else if let colon = text.lastIndex(of: ":") {
      guard text.firstIndex(of: ":") == colon else { throw Mismatch("needs brackets around IPv6", hint: hint) }
      host = text[..<colon]
      portText = text[colon...].dropFirst()
    }
    guard !host.isEmpty, host.utf8.count <= 253, host.allSatisfy({ !$0.isWhitespace && $0 != "," && $0 != "*" }) else {
      throw Mismatch("has no host", hint: hint)
    }
    guard let portText else { return (String(host), defaultPort) }
    guard portText.utf8.allSatisfy(\.isASCIIDigit),
      let port = Int(portText), (1...65535).contains(port)
    else { throw Mismatch("does not end in a port", hint: "use 1 to 65535") }
    return (String(host), port)
  }
}

extension ScalarType<SeedAddress> {
  public static func seed(defaultPort: Int) -> ScalarType {
    ScalarType(
      placeholder: SeedAddress(endpoint: .unix(path: ""), schemeUsesTLS: nil), name: "address",
      range: "port \(defaultPort) where none is given"
    ) { text throws(Mismatch) in
      do throws(Mismatch) {
        return try SeedAddress.parse(text, defaultPort: defaultPort)
      } catch {
        throw error.of(address: text)
      }
    }
  }
}
