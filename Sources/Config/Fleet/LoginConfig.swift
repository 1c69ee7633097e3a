/// User and password of a side of a workload. The password is a reference that is read again at each login.
public struct LoginConfig: Sendable, Equatable {
  /// Nil for the default user.
  public let user: String?
  public let password: SecretSource

  /// Nil, with an error noted, when there is no password.
  init?(_ fields: MappingReader) {
    user = fields.optional("user", .nonEmptyString, "ACL user; without it, the user `default`.")
    guard let password = fields.secret("password", "Password; one of the four keys is needed.") else {
      fields.report(
        "password", problem: "is missing",
        hint: "give password_file, password_env, password_credential or password")
      return nil
    }
    // A password of the wrong shape reads as empty and has its error already.
    if case .literal(let secret) = password, secret.isEmpty, fields.isSingleValue("password") {
      fields.report("password", problem: "is empty", hint: "leave credentials out for a server without a password")
    }
    self.password = password
  }
}

/// TLS towards the servers of a workload; its block, even an empty `{}`, turns TLS on. Files are PEM.
public struct TLSConfig: Sendable, Equatable {
  /// Takes the place of the system's authorities.
  public let authoritiesFile: String?
  /// The client's certificate and its key; both or neither.
  public let certificateFile: String?
  public let keyFile: String?
  /// The name that certificates must carry; nil for the host of each address.
  public let serverName: String?
  public let isVerificationSkipped: Bool

  /// The system's authorities and no client certificate, which a `rediss` address asks for.
  static let standard = TLSConfig()

  private init() {
    (authoritiesFile, certificateFile, keyFile, serverName) = (nil, nil, nil, nil)
    isVerificationSkipped = false
  }

  init(_ fields: MappingReader) {
    authoritiesFile = fields.optional(
      "ca_file", .nonEmptyString, "PEM file of authorities; by default those of the system.")
    certificateFile = fields.optional("cert_file", .nonEmptyString, "Client certificate, PEM; with `key_file`.")
    keyFile = fields.optional("key_file", .nonEmptyString, "Key of the client certificate, PEM; with `cert_file`.")
    serverName = fields.optional(
      "server_name", .nonEmptyString,
      "Name that certificates must carry; by default the host of each address, or the name that a member announces.")
    isVerificationSkipped = fields.value(
      "insecure_skip_verify", .bool, default: false,
      "Accept any certificate: anyone on the network path can read and answer.")
    if certificateFile != nil, keyFile == nil {
      fields.report("cert_file", problem: "is given without key_file", hint: "give both or neither")
    }
    if keyFile != nil, certificateFile == nil {
      fields.report("key_file", problem: "is given without cert_file", hint: "give both or neither")
    }
    if isVerificationSkipped, authoritiesFile != nil || serverName != nil {
      fields.report(
        "insecure_skip_verify", problem: "makes ca_file and server_name meaningless",
        hint: "leave it out, or leave those out")
    }
  }

  /// What `tls` and the schemes of the addresses ask for together.
  static func settled(
    _ fields: MappingReader, seeds: [SeedAddress], inherited: TLSConfig?
  ) -> TLSConfig? {
    let own = fields.mapping("tls", "TLS to these servers; `{}` is enough to turn it on.") { TLSConfig($0) }
    let schemes = Set(seeds.compactMap(\.schemeUsesTLS))
    if schemes.count == 2 {
      fields.report(
        "seeds", problem: "use TLS in part only", hint: "write all as rediss:// or none, or use tls")
    } else if own != nil, schemes == [false] {
      fields.report("tls", problem: "contradicts the redis:// of the seeds", hint: "write the seeds as host:port")
    }
    if schemes == [false] { return nil }
    return own ?? inherited ?? (schemes == [true] ? .standard : nil)
  }
}
