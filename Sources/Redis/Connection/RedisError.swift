import Runtime

/// Why a server could not be asked, as a short stable class for metrics and a sentence for people.
public struct RedisError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The raw values are label values: they never change and there are no others.
  public enum Class: String, Sendable, CaseIterable {
    /// The name does not resolve.
    case dns
    /// No connection: refused, unreachable, no such socket.
    case connect
    /// The TLS handshake failed or the certificate was not accepted.
    case tls
    /// The server refused the credentials, or wants some.
    case auth
    /// The server wants credentials and none may be sent to this host.
    case credentialsWithheld = "credentials_withheld"
    /// The server has no connection left.
    case maxclients
    /// The server's protected mode refuses connections from other hosts.
    case denied
    /// The user may not run a command that is needed.
    case permission
    /// The server is loading its dataset.
    case loading
    /// The server runs a script or function that blocks it.
    case busy
    /// What the server sent is not RESP or not what the command promises.
    case `protocol`
    /// The server sent more than the daemon holds.
    case limit
    /// No answer within the deadline.
    case timeout
    /// The server closed the connection.
    case closed
  }

  /// What in the configuration may be wrong, where the error tells.
  public enum Cause: Sendable, Equatable, CaseIterable {
    case unknownName, wrongAddress
    case plainServer, silentHandshake, tlsServer, closedAtOnce
    case unknownAuthority, otherName, clientCertificate
    case wrongPassword, missingPassword, unwantedPassword, unwantedUser
  }

  public let errorClass: Class
  public let cause: Cause?
  /// What happened, in words; holds neither credentials nor unbounded text of the server.
  public let message: String

  public init(_ errorClass: Class, _ message: String, cause: Cause? = nil) {
    self.errorClass = errorClass
    self.message = message
    self.cause = cause
  }

  public var description: String { "\(errorClass.rawValue): \(message)" }

  /// The error that an error reply stands for.
  public init(reply: Reply, to command: Command) {
    let bytes = reply.bytes ?? []
    let text = String(decoding: bytes.prefix(160), as: UTF8.self)
    let errorClass: Class =
      switch reply.errorCode ?? "" {
      case "NOAUTH", "WRONGPASS": .auth
      case "NOPERM": .permission
      case "LOADING": .loading
      case "BUSY": .busy
      case "DENIED": .denied
      case "ERR" where text.hasPrefix("ERR max number of clients"): .maxclients
      case "ERR" where text.contains("AUTH"): .auth
      case "ERR" where text.hasPrefix("ERR invalid password"): .auth
      default: .protocol
      }
    // A server that repeats what it was sent would give the password away.
    let answer = command.isLogin ? Self.login(text, reply.errorCode ?? "") : printable(bytes)
    let cause = errorClass == .auth || command.isLogin ? Self.cause(text, reply.errorCode ?? "") : nil
    self.init(errorClass, "\(command) was answered: \(answer)", cause: cause)
  }

  private static func cause(_ text: String, _ code: String) -> Cause? {
    switch code {
    case "WRONGPASS": .wrongPassword
    case "NOAUTH": .missingPassword
    case "ERR" where text.hasPrefix("ERR invalid password"): .wrongPassword
    case "ERR" where text.contains("without any password configured") || text.contains("no password is set"):
      .unwantedPassword
    case "ERR" where text.hasPrefix("ERR wrong number of arguments for 'auth'"): .unwantedUser
    default: nil
    }
  }

  /// What an answer to a login means, without a word that the server could have made up of it.
  private static func login(_ text: String, _ code: String) -> String {
    switch code {
    case "WRONGPASS": return "WRONGPASS, the user or the password is wrong"
    case "NOAUTH", "NOPERM", "LOADING", "BUSY", "DENIED": return code
    case "ERR" where text.hasPrefix("ERR max number of clients"): return "no connection is left"
    case "ERR" where text.hasPrefix("ERR invalid password"): return "the password is wrong"
    case "ERR" where text.hasPrefix("ERR unknown command"): return "the server does not know the command"
    case "ERR" where text.hasPrefix("ERR wrong number of arguments"):
      return "the server knows no users, as before Redis 6"
    case "ERR" where text.contains("without any password configured") || text.contains("no password is set"):
      return "the server wants no password"
    default: return "an error that is not shown, since it may repeat the password"
    }
  }
}

/// At most 160 printable ASCII characters of what a server sent, no known secret among them.
public func printable(_ bytes: ArraySlice<UInt8>) -> String {
  let bytes = KnownSecrets.masked(bytes)
  let shown = bytes.prefix(160).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
  return String(decoding: shown, as: UTF8.self) + (bytes.count > 160 ? "…" : "")
}
