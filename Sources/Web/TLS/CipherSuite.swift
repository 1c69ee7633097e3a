/// The cipher suites of TLS 1.2 and below that a web config file may name; those of TLS 1.3 are always all on.
///
/// GnuTLS takes key exchanges, ciphers and MACs apart, so a list admits every combination of its parts.
public enum CipherSuite: String, Sendable, CaseIterable {
  case rsaAES128CBC = "TLS_RSA_WITH_AES_128_CBC_SHA"
  case rsaAES256CBC = "TLS_RSA_WITH_AES_256_CBC_SHA"
  case rsaAES128CBCSHA256 = "TLS_RSA_WITH_AES_128_CBC_SHA256"
  case rsaAES128GCM = "TLS_RSA_WITH_AES_128_GCM_SHA256"
  case rsaAES256GCM = "TLS_RSA_WITH_AES_256_GCM_SHA384"
  case ecdheECDSAAES128CBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
  case ecdheECDSAAES256CBC = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
  case ecdheECDSAAES128CBCSHA256 = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
  case ecdheECDSAAES128GCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
  case ecdheECDSAAES256GCM = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
  case ecdheECDSAChaCha20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
  case ecdheRSAAES128CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
  case ecdheRSAAES256CBC = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
  case ecdheRSAAES128CBCSHA256 = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
  case ecdheRSAAES128GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
  case ecdheRSAAES256GCM = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
  case ecdheRSAChaCha20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
  // Names of TLS 1.3, accepted since configurations carry them; they choose nothing.
  case aes128GCM = "TLS_AES_128_GCM_SHA256"
  case aes256GCM = "TLS_AES_256_GCM_SHA384"
  case chaCha20 = "TLS_CHACHA20_POLY1305_SHA256"

  private var isOfTLS13: Bool { !rawValue.contains("_WITH_") }

  var keyExchange: String? {
    if isOfTLS13 { return nil }
    if rawValue.hasPrefix("TLS_ECDHE_RSA") { return "ECDHE-RSA" }
    return rawValue.hasPrefix("TLS_ECDHE_ECDSA") ? "ECDHE-ECDSA" : "RSA"
  }

  var cipher: String? {
    if isOfTLS13 { return nil }
    if rawValue.contains("CHACHA20") { return "CHACHA20-POLY1305" }
    return (rawValue.contains("AES_128") ? "AES-128-" : "AES-256-") + (rawValue.contains("GCM") ? "GCM" : "CBC")
  }

  var mac: String? {
    if isOfTLS13 { return nil }
    guard rawValue.contains("CBC") else { return "AEAD" }
    return rawValue.hasSuffix("SHA256") ? "SHA256" : "SHA1"
  }
}

/// The groups for key exchange that a web config file may name.
public enum Curve: String, Sendable, CaseIterable {
  case p256 = "CurveP256"
  case p384 = "CurveP384"
  case p521 = "CurveP521"
  case x25519 = "X25519"

  var priority: String {
    switch self {
    case .p256: "GROUP-SECP256R1"
    case .p384: "GROUP-SECP384R1"
    case .p521: "GROUP-SECP521R1"
    case .x25519: "GROUP-X25519"
    }
  }
}
