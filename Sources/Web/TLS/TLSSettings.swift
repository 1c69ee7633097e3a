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
