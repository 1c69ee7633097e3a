import Config

/// The web configuration file of Prometheus's exporters (`--web.config.file`).
public enum WebConfigFile {
  /// The headers that the format lets a file set.
  static let allowedHeaders = [
    "Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
    "Content-Security-Policy", "Permissions-Policy", "Referrer-Policy", "Strict-Transport-Security",
    "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection",
  ]

  /// Reads and checks the file; paths in it are relative to its folder.
  ///
  /// - Throws: ``ConfigErrors``: everything that is wrong, each with its line, field and hint.
  public static func load(_ path: String) throws(ConfigErrors) -> WebSettings {
    try settings(YAMLNode.load(path), file: path)
  }

  static func settings(_ node: YAMLNode, file: String) throws(ConfigErrors) -> WebSettings {
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    return try node.decode(file: file) { top in
      let tls = top.mapping("tls_server_config") { tlsSettings($0, folder: folder) } ?? nil
      let headers = top.mapping("http_server_config") { httpHeaders($0) } ?? []
      let users = top.mapping("basic_auth_users") { basicUsers($0) } ?? .everyone
      return WebSettings(tls: tls, users: users, headers: headers)
    }
  }

  /// Nil when the mapping names no file at all, which means plain HTTP.
  private static func tlsSettings(_ fields: MappingReader, folder: String) -> TLSSettings? {
    func path(_ name: String) -> String { name.isEmpty || name.hasPrefix("/") ? name : folder + name }
    let certificate = path(fields.value("cert_file", .string, default: ""))
    let key = path(fields.value("key_file", .string, default: ""))
    let authority = path(fields.value("client_ca_file", .string, default: ""))
    var settings = TLSSettings(certificateFile: certificate, keyFile: key)
    settings.clientAuthorityFile = authority.isEmpty ? nil : authority
    settings.clientAuthentication = fields.value("client_auth_type", .clientAuthentication, default: .none)
    settings.allowedClientNames = fields.list("client_allowed_sans", of: .nonEmptyString)
    settings.minimumVersion = fields.value("min_version", .tlsVersion, default: .tls12)
    settings.maximumVersion = fields.value("max_version", .tlsVersion, default: .tls13)
    settings.cipherSuites = fields.list("cipher_suites", of: .oneOf(CipherSuite.self, noun: "a cipher suite"))
    settings.prefersServerOrder = fields.value("prefer_server_cipher_suites", .bool, default: true)
    settings.curves = fields.list("curve_preferences", of: .oneOf(Curve.self, noun: "a curve known here"))

    if certificate.isEmpty, key.isEmpty, authority.isEmpty, settings.clientAuthentication == .none { return nil }
    if certificate.isEmpty {
      fields.report("cert_file", problem: "is missing", hint: "TLS needs cert_file and key_file")
    }
    if key.isEmpty { fields.report("key_file", problem: "is missing", hint: "TLS needs cert_file and key_file") }
    if settings.minimumVersion > settings.maximumVersion {
      fields.report("min_version", problem: "is above max_version")
    }
    if settings.clientAuthentication.verifies, authority.isEmpty {
      fields.report(
        "client_ca_file", problem: "is missing",
        hint: "client_auth_type \(settings.clientAuthentication.rawValue) needs it")
    }
    if !authority.isEmpty, settings.clientAuthentication == .none {
      fields.report(
        "client_ca_file", problem: "is given, but client_auth_type asks no client for a certificate",
        hint: "set client_auth_type: RequireAndVerifyClientCert")
    }
    if !settings.allowedClientNames.isEmpty, !settings.clientAuthentication.verifies {
      fields.report(
        "client_allowed_sans", problem: "needs client certificates that are verified",
        hint: "set client_auth_type: RequireAndVerifyClientCert")
    }
    return settings
  }

  private static func httpHeaders(_ fields: MappingReader) -> [Request.Header] {
    // HTTP/2 is the format's default and a client may always speak HTTP/1.1, so both values are honoured.
    _ = fields.value("http2", .bool, default: true)
    return fields.mapping("headers") { headers in
      headers.keys.compactMap { name -> Request.Header? in
        let value = headers.value(name, .string, default: "")
        guard let known = allowedHeaders.first(where: { equalIgnoringCase($0, name) }) else {
          headers.report(name, problem: "cannot be set", hint: "use one of \(allowedHeaders.joined(separator: ", "))")
          return nil
        }
        guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
          headers.report(name, problem: "holds a control character")
          return nil
        }
        return value.isEmpty ? nil : Request.Header(name: known, value: value)
      }
    } ?? []
  }

  private static func basicUsers(_ fields: MappingReader) -> Users {
    var hashes: [String: Secret] = [:]
    for user in fields.keys {
      let hash = fields.required(user, .secret)
      do throws(WebError) {
        _ = try Bcrypt(hash: hash.reveal())
        hashes[user] = hash
      } catch {
        fields.report(user, problem: "is refused: \(error)")
      }
    }
    return (try? Users(hashes: hashes)) ?? .everyone
  }
}

extension ScalarType<TLSVersion> {
  fileprivate static var tlsVersion: ScalarType { .oneOf(TLSVersion.self, noun: "a TLS version", named: \.fileName) }
}

extension ScalarType<TLSSettings.ClientAuthentication> {
  fileprivate static var clientAuthentication: ScalarType {
    .oneOf(TLSSettings.ClientAuthentication.self, noun: "a client_auth_type")
  }
}

/// Everything about the web side that a reload may change.
public struct WebSettings: Sendable {
  /// Nil for plain HTTP.
  public var tls: TLSSettings?
  public var users: Users
  /// Headers that every answer carries.
  public var headers: [Request.Header]

  public init(tls: TLSSettings? = nil, users: Users = .everyone, headers: [Request.Header] = []) {
    self.tls = tls
    self.users = users
    self.headers = headers
  }

  /// What the flags of redis_exporter ask for.
  ///
  /// - Throws: ``WebError`` for a hash that is none of bcrypt's.
  public init(tls: ServerTLSOptions?, login: BasicAuthOptions?) throws(WebError) {
    self.init(tls: tls.map(TLSSettings.init))
    switch login?.password {
    case nil: break
    case .plain(let password): users = .single(login?.user ?? "", password: password)
    case .bcryptHash(let hash):
      do throws(WebError) {
        users = try Users(hashes: [login?.user ?? "": hash])
      } catch {
        throw WebError("flag -basic-auth-hash-password: \(error)")
      }
    }
  }
}
