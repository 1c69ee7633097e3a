import Config

/// How the server speaks TLS: files and rules, as the configuration gives them.
public struct TLSSettings: Sendable, Equatable {
  /// What is asked of a client's certificate, by the names of the web config file.
  public enum ClientAuthentication: String, Sendable, CaseIterable {
    case none = "NoClientCert"
    case request = "RequestClientCert"
    case requireAny = "RequireAnyClientCert"
    case verifyIfGiven = "VerifyClientCertIfGiven"
    case requireAndVerify = "RequireAndVerifyClientCert"

    var verifies: Bool { self == .verifyIfGiven || self == .requireAndVerify }
    var requires: Bool { self == .requireAny || self == .requireAndVerify }
  }

  /// PEM file, leaf first.
  public var certificateFile: String
  /// PEM file.
  public var keyFile: String
  /// PEM file of the authorities that sign clients' certificates.
  public var clientAuthorityFile: String?
  public var clientAuthentication = ClientAuthentication.none
  /// A client's certificate must hold one of these names; empty for any.
  public var allowedClientNames: [String] = []
  public var minimumVersion = TLSVersion.tls12
  public var maximumVersion = TLSVersion.tls13
  /// Empty for the library's choice.
  public var cipherSuites: [CipherSuite] = []
  /// Empty for the library's choice.
  public var curves: [Curve] = []
  public var prefersServerOrder = true

  public init(certificateFile: String, keyFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }

  init(_ options: ServerTLSOptions) {
    self.init(certificateFile: options.certificateFile, keyFile: options.keyFile)
    minimumVersion = options.minVersion
    clientAuthorityFile = options.clientAuthoritiesFile
    if clientAuthorityFile != nil { clientAuthentication = .requireAndVerify }
  }

  /// All the files that, when changed, change the credentials.
  var files: [String] { [certificateFile, keyFile] + (clientAuthorityFile.map { [$0] } ?? []) }

  /// The priority string of GnuTLS that means the same.
  var priority: String {
    var parts = ["NORMAL"]
    func replace(_ all: String, by names: [String]) {
      guard !names.isEmpty else { return }
      var seen: Set<String> = []
      parts.append("-" + all)
      parts += names.filter { seen.insert($0).inserted }.map { "+" + $0 }
    }
    let versions = TLSVersion.allCases.filter { $0 >= minimumVersion && $0 <= maximumVersion }
    replace("VERS-ALL", by: versions.reversed().map(\.priority))
    replace("KX-ALL", by: cipherSuites.compactMap(\.keyExchange))
    let ciphers = cipherSuites.compactMap(\.cipher)
    // The ciphers of TLS 1.3 share their names with those of TLS 1.2, so the list must not lose them.
    replace(
      "CIPHER-ALL", by: ciphers.isEmpty || maximumVersion < .tls13 ? ciphers : ciphers + tls13Ciphers(beside: ciphers))
    replace(
      "MAC-ALL", by: cipherSuites.isEmpty ? [] : cipherSuites.compactMap(\.mac) + (ciphers.isEmpty ? [] : ["AEAD"]))
    replace("GROUP-ALL", by: curves.map(\.priority))
    if prefersServerOrder { parts.append("%SERVER_PRECEDENCE") }
    return parts.joined(separator: ":")
  }

  /// What TLS 1.3 needs to have at least one suite when the list holds only old ciphers.
  private func tls13Ciphers(beside ciphers: [String]) -> [String] {
    ciphers.contains { !$0.hasSuffix("CBC") } ? [] : ["AES-128-GCM"]
  }
}

extension TLSVersion {
  /// The name in a priority string of GnuTLS.
  var priority: String { "VERS-" + rawValue }

  /// The name in a web config file, `TLS12` for TLS 1.2.
  var fileName: String { rawValue.filter { $0 != "." } }
}

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
