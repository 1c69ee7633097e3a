import Testing

@testable import Transport

@Suite struct TLSProblemTests {
  /// As the library words them.
  @Test(arguments: [
    (
      "handshakeFailed(NIOSSL.BoringSSLError.sslError([Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at /x/handshake.cc:286]))",
      TLSProblem.unknownAuthority
    ),
    ("NIOSSLExtraError.failedToValidateHostname: Couldn't find 10.0.0.1 in certificate from peer", .otherName),
    (
      "handshakeFailed(NIOSSL.BoringSSLError.sslError([Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at /x/tls_record.cc:231]))",
      .noTLS
    ),
    (
      "sslError([Error: 268436572 error:1000045c:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED at /x])",
      .wantsClientCertificate
    ),
    (
      "sslError([Error: 1 error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA at /x])",
      .refusesClientCertificate
    ),
    (
      "sslError([Error: 1 error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION at /x])",
      .noCommonVersion
    ),
    ("handshakeFailed(NIOSSL.BoringSSLError.sslError([Error:  EOF during handshake]))", .ended),
    ("something else", .other),
  ])
  func theLibrarysWordsAreRead(_ text: String, _ problem: TLSProblem) {
    #expect(TLSProblem(text: text) == problem)
  }

  @Test(arguments: TLSProblem.allCases) func sentencesAreInPlainWords(_ problem: TLSProblem) {
    for word in ["SSL", "NIO", "_", "error:", "("] { #expect(!problem.sentence.contains(word)) }
  }
}
