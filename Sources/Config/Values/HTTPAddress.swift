import Runtime

/// The address of an HTTP server as `http://host:9093/prefix`; never with credentials, which have keys of their own.
public struct HTTPAddress: Sendable, Hashable, CustomStringConvertible {
  public let usesTLS: Bool
  /// A name or literal address, IPv6 without its brackets.
  public let host: String
  /// 1 to 65535.
  public let port: Int
  /// Empty, or a path that starts with a slash and does not end with one.
  public let path: String

  public init(usesTLS: Bool, host: String, port: Int, path: String = "") {
    self.usesTLS = usesTLS
    self.host = host
    self.port = port
    self.path = path
  }

  /// The port that a scheme has when none is written.
  static func defaultPort(usesTLS: Bool) -> Int { usesTLS ? 443 : 80 }

  /// The URL, its port left out where it is the scheme's own.
  public var description: String {
    let scheme = usesTLS ? "https" : "http"
    let shownHost = host.contains(":") ? "[\(host)]" : host
    let shownPort = port == Self.defaultPort(usesTLS: usesTLS) ? "" : ":\(port)"
    return "\(scheme)://\(shownHost)\(shownPort)\(path)"
  }

  public static func parse(_ text: String) throws(Mismatch) -> HTTPAddress {
    let hint = "write http://host:9093 or https://host/prefix"
    guard let mark = text.firstRange(of: "://") else { throw Mismatch("has no scheme", hint: hint) }
    let usesTLS: Bool
    switch text[..<mark.lowerBound].lowercased() {
    case "http": usesTLS = false
    case "https": usesTLS = true
    default: throw Mismatch("has an unknown scheme", hint: "use http or https")
    }
    let rest = text[mark.upperBound...]
    guard !rest.contains("@") else {
      throw Mismatch("holds credentials", hint: "take them out of the URL and use basic_auth")
    }
    guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else {
      throw Mismatch("has a query or fragment", hint: hint)
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let (host, port) = try hostAndPort(rest[..<slash], usesTLS: usesTLS)
    return HTTPAddress(usesTLS: usesTLS, host: host, port: port, path: try path(String(rest[slash...])))
  }

  private static func hostAndPort(_ text: Substring, usesTLS: Bool) throws(Mismatch) -> (String, Int) {
    var host = text
    var portText: Substring?
    if text.first == "[" {
      guard let close = text.firstIndex(of: "]") else { throw Mismatch("has no closing bracket") }
      host = text[..<close].dropFirst()
      let rest = text[close...].dropFirst()
      guard IPAddress(String(host))?.isIPv6 == true, rest.isEmpty || rest.first == ":" else {
        throw Mismatch("is not an IPv6 address in brackets", hint: "write it like http://[::1]:9093")
      }
      portText = rest.isEmpty ? nil : rest.dropFirst()
    } else {
      if let colon = text.lastIndex(of: ":") {
        guard text.firstIndex(of: ":") == colon else {
          throw Mismatch("needs brackets around IPv6", hint: "write it like http://[::1]:9093")
        }
        host = text[..<colon]
        portText = text[colon...].dropFirst()
      }
      try checkName(host)
    }
    guard let portText else { return (String(host), defaultPort(usesTLS: usesTLS)) }
    guard portText.utf8.allSatisfy(\.isASCIIDigit),
      let port = Int(portText), (1...65535).contains(port)
    else { throw Mismatch("has no port behind the colon", hint: "use 1 to 65535") }
    return (String(host), port)
  }

  /// Letters, digits, dots, dashes and underscores: what a name that is looked up and written into a header may hold.
  static func checkName(_ host: Substring) throws(Mismatch) {
    let isName = host.utf8.allSatisfy { $0.isASCIIAlphanumeric || ".-_".utf8.contains($0) }
    guard isName, (1...253).contains(host.utf8.count) else {
      throw Mismatch("has no host name", hint: "use letters, digits, dots and dashes")
    }
  }

  /// A prefix without the slashes at its end, ready for a request line.
  static func path(_ text: String) throws(Mismatch) -> String {
    var path = text[...]
    while path.last == "/" { path.removeLast() }
    if path.isEmpty { return "" }
    let isPlain = path.utf8.allSatisfy { (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") }
    guard path.first == "/", isPlain, !path.contains(where: { $0 == "?" || $0 == "#" }), path.utf8.count <= 1024 else {
      throw Mismatch("is not a path", hint: "start it with / and percent-encode what is not plain ASCII")
    }
    return String(path)
  }
}

extension ScalarType<HTTPAddress> {
  public static var httpAddress: ScalarType {
    ScalarType(placeholder: HTTPAddress(usesTLS: false, host: "", port: 1), name: "web address") {
      text throws(Mismatch) in
      do throws(Mismatch) {
        return try HTTPAddress.parse(text)
      } catch {
        throw error.of(address: text)
      }
    }
  }
}

/// Whether an address holds nothing that could be a part of a password, so that an error may show it: no userinfo, no
/// unknown scheme, and behind a colon nothing but a port or the rest of an IPv6 address.
func isPlainAddress(_ text: String) -> Bool {
  var rest = text[...]
  if let mark = text.firstRange(of: "://") {
    let schemes = ["redis", "rediss", "valkey", "valkeys", "tcp", "unix", "http", "https", "ftp"]
    guard schemes.contains(text[..<mark.lowerBound].lowercased()) else { return false }
    rest = text[mark.upperBound...]
  }
  guard rest.utf8.allSatisfy({ !"@?#%&=\"'!$".utf8.contains($0) }) else { return false }
  guard let colon = rest.firstIndex(of: ":") else { return true }
  let port = rest[colon...].dropFirst().prefix { $0 != "/" }
  if rest.count(where: { $0 == ":" }) > 1, rest.allSatisfy({ $0.isHexDigit || "[]:.*/".contains($0) }) { return true }
  return port.count <= 5 && port.allSatisfy { $0.isNumber || $0 == "*" }
}

extension Mismatch {
  /// The mismatch of an address, which shows of it only what is no secret.
  func of(address: String) -> Mismatch {
    isPlainAddress(address) ? self : Mismatch(problem, hint: hint, isUnshown: true)
  }
}

/// Where a server listens: `host:port`, or `:port` for every address of the machine.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A name or literal address, IPv6 without its brackets; empty for every address.
  public let host: String
  /// 0 to 65535; 0 lets the system choose.
  public let port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  public static func parse(_ text: String) throws(Mismatch) -> ListenAddress {
    let hint = "write :9121, 127.0.0.1:9121 or [::1]:9121"
    guard let colon = text.lastIndex(of: ":") else { throw Mismatch("has no port", hint: hint) }
    let portText = text[text.index(after: colon)...]
    guard portText.allSatisfy({ "0"..."9" ~= $0 }), let port = Int(portText), port <= 65535 else {
      throw Mismatch("does not end in a port number", hint: hint)
    }
    var host = text[..<colon]
    if host.first == "[", host.last == "]" {
      host = host.dropFirst().dropLast()
      guard IPAddress(String(host))?.isIPv6 == true else { throw Mismatch("is not an IPv6 address", hint: hint) }
    } else if host.contains(":") || host.contains("[") || host.contains("/") {
      throw Mismatch("is not host:port", hint: hint)
    }
    return ListenAddress(host: String(host), port: port)
  }
}
