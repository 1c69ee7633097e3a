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
