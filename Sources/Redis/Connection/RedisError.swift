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

  public let errorClass: Class
  /// What happened, in words; holds neither credentials nor unbounded text of the server.
  public let message: String

  public init(_ errorClass: Class, _ message: String) {
    self.errorClass = errorClass
    self.message = message
  }

  public var description: String { "\(errorClass.rawValue): \(message)" }

  /// The error that an error reply stands for.
  public init(reply: Reply, to command: Command) {
    let text = printable(reply.bytes ?? [])
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
    self.init(errorClass, "\(command) was answered: \(text)")
  }
}

/// At most 160 printable ASCII characters of what a server sent.
public func printable(_ bytes: ArraySlice<UInt8>) -> String {
  let shown = bytes.prefix(160).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
  return String(decoding: shown, as: UTF8.self) + (bytes.count > 160 ? "…" : "")
}
