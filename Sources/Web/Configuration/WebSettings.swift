/// Everything about the web side that a reload may change.
public struct WebSettings: Sendable {
  /// Nil for plain HTTP.
  public var tls: TLSSettings?
  public var users: Users
  /// Headers that every answer carries.
  public var headers: [Request.Header]

  public init(tls: TLSSettings? = nil, users: Users = .everyone, headers: [Request.Header] = []) {
    self.tls = tls
    self.users = users
    self.headers = headers
  }
}
