/// Why a server gave no answer, as a short stable class and a sentence for people.
public struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Class: String, Sendable, CaseIterable {
    /// The name does not resolve.
    case dns
    /// No connection: refused or unreachable.
    case connect
    /// The TLS handshake failed or the certificate was not accepted.
    case tls
    /// No whole answer before the deadline.
    case timeout
    /// The server closed the connection before the answer was complete.
    case closed
    /// What the server sent is not HTTP.
    case `protocol`
    /// The server sent more than the client holds.
    case limit
  }

  public let errorClass: Class
  /// What happened, in words; holds neither credentials nor unbounded text of the server.
  public let message: String

  public init(_ errorClass: Class, _ message: String) {
    self.errorClass = errorClass
    self.message = message
  }

  public var description: String { "\(errorClass.rawValue): \(message)" }
}
