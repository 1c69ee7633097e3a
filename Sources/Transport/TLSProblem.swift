import NIOSSL

/// Why a TLS handshake ended, as far as the library's error tells, in words that are not the library's.
public enum TLSProblem: Sendable, Equatable, CaseIterable {
  case unknownAuthority
  case otherName
  /// What answers does not speak TLS.
  case noTLS
  case wantsClientCertificate
  case refusesClientCertificate
  case noCommonVersion
  case ended
  case other

  /// - Returns: nil for an error that is not of the TLS library.
  public init?(_ error: any Error) {
    switch error {
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: self.init(text: "\(error)")
    default: return nil
    }
  }

  /// - Parameter text: the library's words, which hold the names of OpenSSL's reasons.
  init(text: String) {
    let signs: [(problem: TLSProblem, words: [String])] = [
      (.otherName, ["failedToValidateHostname", "serverHostnameImpossibleToMatch"]),
      (.unknownAuthority, ["CERTIFICATE_VERIFY_FAILED"]),
      (.wantsClientCertificate, ["CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE"]),
      (
        .refusesClientCertificate,
        ["ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_", "ALERT_UNSUPPORTED_CERT"]
      ),
      (.noTLS, ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNEXPECTED_RECORD"]),
      (.noCommonVersion, ["PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_SHARED_CIPHER", "INSUFFICIENT_SECURITY"]),
      (.ended, ["EOF during handshake", "uncleanShutdown", "eof"]),
    ]
    self = signs.first { $0.words.contains { text.contains($0) } }?.problem ?? .other
  }

  /// What follows on the name of the server.
  public var sentence: String {
    switch self {
    case .unknownAuthority: "has a certificate that no known authority has signed, or that has expired"
    case .otherName: "has a certificate for another name"
    case .noTLS: "does not speak TLS on this port"
    case .wantsClientCertificate: "ended the handshake and may want a client certificate"
    case .refusesClientCertificate: "does not accept the client certificate"
    case .noCommonVersion: "accepts no version and cipher of TLS that redline speaks"
    case .ended: "closed the connection during the handshake"
    case .other: "did not complete the TLS handshake"
    }
  }
}
