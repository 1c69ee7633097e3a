import Config

/// The flags of redis_exporter that guard the web side.
public struct WebFlags: Sendable {
  public var tlsServerCertificateFile = ""
  public var tlsServerKeyFile = ""
  public var tlsServerCAFile = ""
  /// `TLS1.0` to `TLS1.3`.
  public var tlsServerMinimumVersion = "TLS1.2"
  public var basicAuthUsername = ""
  public var basicAuthPassword = Secret("")
  public var basicAuthHashPassword = Secret("")

  public init() {}

  /// Whether any of them is used, the version apart.
  public var isEmpty: Bool {
    tlsServerCertificateFile.isEmpty && tlsServerKeyFile.isEmpty && tlsServerCAFile.isEmpty
      && basicAuthUsername.isEmpty && basicAuthPassword.isEmpty && basicAuthHashPassword.isEmpty
  }

  /// - Throws: ``WebError`` that names the flags that do not go together.
  public func settings() throws(WebError) -> WebSettings {
    WebSettings(tls: try tls(), users: try users())
  }

  private func tls() throws(WebError) -> TLSSettings? {
    guard let minimum = TLSVersion(flag: tlsServerMinimumVersion) else {
      throw WebError(
        "flag -tls-server-min-version: \"\(tlsServerMinimumVersion)\" is not a version; use TLS1.0, TLS1.1, TLS1.2 or TLS1.3")
    }
    switch (tlsServerCertificateFile.isEmpty, tlsServerKeyFile.isEmpty) {
    case (true, true):
      guard tlsServerCAFile.isEmpty else {
        throw WebError("flag -tls-server-ca-cert-file needs -tls-server-cert-file and -tls-server-key-file")
      }
      return nil
    case (false, true): throw WebError("flag -tls-server-cert-file is given without -tls-server-key-file; give both or neither")
    case (true, false): throw WebError("flag -tls-server-key-file is given without -tls-server-cert-file; give both or neither")
    case (false, false): break
    }
    var settings = TLSSettings(certificateFile: tlsServerCertificateFile, keyFile: tlsServerKeyFile)
    settings.minimumVersion = minimum
    if !tlsServerCAFile.isEmpty {
      settings.clientAuthorityFile = tlsServerCAFile
      settings.clientAuthentication = .requireAndVerify
    }
    return settings
  }

  /// Logins are asked for when a user and one kind of password are given.
  private func users() throws(WebError) -> Users {
    guard basicAuthPassword.isEmpty || basicAuthHashPassword.isEmpty else {
      throw WebError("flags -basic-auth-password and -basic-auth-hash-password are both given; keep one of them")
    }
    guard !basicAuthUsername.isEmpty else { return .everyone }
    if !basicAuthPassword.isEmpty { return .single(basicAuthUsername, password: basicAuthPassword) }
    guard !basicAuthHashPassword.isEmpty else { return .everyone }
    do throws(WebError) {
      return try Users(hashes: [basicAuthUsername: basicAuthHashPassword])
    } catch {
      throw WebError("flag -basic-auth-hash-password: \(error)")
    }
  }
}
