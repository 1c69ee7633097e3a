/// Where the server listens: `:9121`, `127.0.0.1:9121`, `[::1]:9121` or `name:9121`.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// Nil for every address of the machine, IPv4 and IPv6.
  public let host: String?
  /// 0 lets the system choose.
  public let port: Int

  public init(host: String?, port: Int) {
    self.host = host
    self.port = port
  }

  /// - Throws: ``WebError`` that says what an address looks like.
  public init(parsing text: String) throws(WebError) {
    let refusal = WebError("listen address \"\(text)\" is not of the form :9121, host:9121 or [::1]:9121")
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw refusal
    }
    var host = text[..<colon]
    if host.first == "[", host.last == "]" {
      host = host.dropFirst().dropLast()
    } else if host.contains(where: { $0 == ":" || $0 == "[" || $0 == "]" || $0 == " " }) {
      throw refusal
    }
    self.init(host: host.isEmpty ? nil : String(host), port: Int(port))
  }

  public var description: String {
    guard let host else { return ":\(port)" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
