import Config

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

  /// What the flags of redis_exporter ask for.
  ///
  /// - Throws: ``WebError`` for a hash that is none of bcrypt's.
  public init(tls: ServerTLSOptions?, login: BasicAuthOptions?) throws(WebError) {
    self.init(tls: tls.map(TLSSettings.init))
    switch login?.password {
    case nil: break
    case .plain(let password): users = .single(login?.user ?? "", password: password)
    case .bcryptHash(let hash):
      do throws(WebError) {
        users = try Users(hashes: [login?.user ?? "": hash])
      } catch {
        throw WebError("flag -basic-auth-hash-password: \(error)")
      }
    }
  }
}
