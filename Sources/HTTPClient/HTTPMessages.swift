/// Scheme, host and port: what a connection belongs to.
public struct HTTPOrigin: Sendable, Hashable, CustomStringConvertible {
  public let usesTLS: Bool
  /// A name or literal address, IPv6 without its brackets.
  public let host: String
  public let port: Int

  public init(usesTLS: Bool, host: String, port: Int) {
    self.usesTLS = usesTLS
    self.host = host
    self.port = port
  }

  public var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }

  /// The value of the header Host: the port is left out where it is the scheme's own.
  var authority: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return port == (usesTLS ? 443 : 80) ? shown : "\(shown):\(port)"
  }
}

/// A request; its Host and Content-Length are written by the client.
public struct HTTPRequest: Sendable {
  public enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
  }

  public let method: Method
  /// The path and query, percent-encoded, with a slash in front.
  public let target: String
  /// Names and values; a value with a line end or another control character is refused when it is written.
  public var headers: [(name: String, value: String)]
  public let body: [UInt8]

  public init(
    _ method: Method, _ target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }
}

/// A whole response. Whatever its status, it is no error for the client.
public struct HTTPResponse: Sendable {
  public let status: Int
  public let headers: [(name: String, value: String)]
  public let body: [UInt8]
  /// Wall clock in seconds since 1970 when the request was written and when the response's head had come.
  public let sentAtSeconds: Double
  public let answeredAtSeconds: Double

  /// The first header of that name, which is compared without regard to case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  public var isSuccess: Bool { (200..<300).contains(status) }
}

/// What one response may cost.
public struct HTTPLimits: Sendable {
  /// Everything from the status line to the end of the body.
  public var responseBytes = 1 << 20

  public init() {}
}
