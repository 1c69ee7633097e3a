/// One HTTP answer.
public struct Response: Sendable {
  public var status: Int
  public var contentType: String
  /// Further headers; a name or value with a line break is left out by the daemon.
  public var headers: [Request.Header]
  public var body: Payload

  public init(status: Int = 200, contentType: String, headers: [Request.Header] = [], body: Payload) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }

  public init(status: Int = 200, contentType: String, headers: [Request.Header] = [], body: [UInt8]) {
    self.init(status: status, contentType: contentType, headers: headers, body: Payload(body))
  }

  /// Plain text, sent as given.
  public static func text(_ text: String, status: Int = 200, headers: [Request.Header] = []) -> Response {
    Response(
      status: status, contentType: "text/plain; charset=utf-8",
      headers: headers + [.init(name: "X-Content-Type-Options", value: "nosniff")], body: Array(text.utf8))
  }

  /// JSON that is already encoded.
  public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
    Response(status: status, contentType: "application/json", body: bytes)
  }

  /// Something of the daemon's own is too slow, full or closing.
  static func unavailable(_ reason: String) -> Response {
    .text(reason + "\n", status: 503, headers: [.init(name: "Retry-After", value: "1")])
  }
}
