import Config
import Testing

@testable import Web

@Suite struct ConfigurationTests {
  private func settings(_ text: String) throws -> WebSettings {
    try WebConfigFile.settings(YAMLNode.parse(Array(text.utf8), file: "/etc/web.yml"), file: "/etc/web.yml")
  }

  @Test func everyFieldIsRead() throws {
    let settings = try settings(
      """
      tls_server_config:
        cert_file: server.pem
        key_file: /keys/server.key
        client_auth_type: RequireAndVerifyClientCert
        client_ca_file: ca/ca.pem
        client_allowed_sans: [a.example, 10.0.0.1]
        min_version: TLS11
        max_version: TLS13
        cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        prefer_server_cipher_suites: false
        curve_preferences: [X25519, CurveP256]
      http_server_config:
        http2: true
        headers:
          x-frame-options: deny
          Strict-Transport-Security: max-age=1
      basic_auth_users:
        alice: \(AuthenticationTests.cheapHash)
        bob: \(AuthenticationTests.cheapHash)
      """)
    var tls = TLSSettings(certificateFile: "/etc/server.pem", keyFile: "/keys/server.key")
    tls.clientAuthentication = .requireAndVerify
    tls.clientAuthorityFile = "/etc/ca/ca.pem"
    tls.allowedClientNames = ["a.example", "10.0.0.1"]
    tls.minimumVersion = .tls11
    tls.cipherSuites = [.ecdheRSAAES128GCM]
    tls.prefersServerOrder = false
    tls.curves = [.x25519, .p256]
    #expect(settings.tls == tls)
    #expect(
      settings.headers == [
        .init(name: "X-Frame-Options", value: "deny"), .init(name: "Strict-Transport-Security", value: "max-age=1"),
      ])
    #expect(settings.users.proofs.keys.sorted() == ["alice", "bob"])
  }

  @Test func anEmptyFileGuardsNothing() throws {
    let settings = try settings("")
    #expect(settings.tls == nil && settings.users.proofs.isEmpty && settings.headers.isEmpty)
  }

  @Test(arguments: [
    ("tls_config: {}", ["/etc/web.yml:1:1", "tls_config"]),
    (
      "tls_server_config:\n  cert_file: a\n  key_fil: b",
      ["web.yml:3:3", "key_fil", "did you mean \"key_file\"", "key_file"]
    ),
    ("tls_server_config:\n  cert_file: a", ["key_file", "is missing"]),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS14",
      ["web.yml:4:16", "min_version", "\"TLS14\"", "TLS13"]
    ),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS13\n  max_version: TLS12",
      ["min_version", "above"]
    ),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: RequireAndVerifyClientCert",
      ["client_ca_file", "is missing"]
    ),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file: c",
      ["client_ca_file", "RequireAndVerifyClientCert"]
    ),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  cipher_suites: [RC4]", ["cipher_suites[0]", "\"RC4\""]),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  curve_preferences: [CurveP1]",
      ["curve_preferences[0]", "CurveP256"]
    ),
    ("http_server_config:\n  headers:\n    Server: x", ["Server", "cannot be set"]),
    ("http_server_config:\n  headers:\n    X-Frame-Options: \"a\\r\\nb\"", ["X-Frame-Options", "control character"]),
    ("http_server_config:\n  http2: maybe", ["http2", "\"maybe\""]),
    ("basic_auth_users:\n  alice: hunter2", ["web.yml:2:10", "basic_auth_users.alice", "bcrypt"]),
    ("basic_auth_users: [a]", ["basic_auth_users", "mapping"]),
  ]) func errorsNamePlaceFieldAndHint(text: String, parts: [String]) {
    let error = #expect(throws: ConfigErrors.self) { try settings(text) }
    for part in parts { #expect(error?.description.contains(part) == true, "\(error?.description ?? "")") }
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func aFailingReloadKeepsTheOldConfigurationwhole() async throws {
    let folder = Folder()
    let users = "basic_auth_users: {alice: \"\(AuthenticationTests.cheapHash)\"}\n"
    folder.write("web.yml", users + "http_server_config: {headers: {X-Frame-Options: deny}}\n")
    let configuration = try WebConfiguration(.file(folder.path + "/web.yml"), log: quietLog)
    let authenticator = configuration.authenticator
    for bad in [
      "x: 1\n", users + "tls_server_config: {cert_file: none.pem, key_file: none.key}\n", "basic_auth_users: [",
    ] {
      folder.write("web.yml", bad)
      await #expect(throws: WebError.self) { try await configuration.reload() }
      #expect(configuration.authenticator === authenticator)
      #expect(configuration.headers.count == 1)
    }
    folder.write("web.yml", users)
    try await configuration.reload()
    #expect(configuration.authenticator !== authenticator)
    #expect(configuration.headers.isEmpty)
  }
}

extension SocketTests {
  /// Logins and headers of the configuration, through the server.
  @Suite struct Guarded {}
}

extension SocketTests.Guarded {
  @Test func everyPathIsBehindTheLogin() async throws {
    let settings = WebSettings(users: .single("user", password: Secret("open sesame")))
    try await withServer([hello], configuration: WebConfiguration(.settings(settings), log: quietLog)) { port, _ in
      let client = try TestClient(port: port)
      for path in ["/hello", "/nowhere"] {
        let refused = try client.get(path)
        #expect(refused.status == 401)
        #expect(refused.header("WWW-Authenticate") == "Basic realm=\"redline\", charset=\"UTF-8\"")
        #expect(refused.text == "Unauthorized\n")
      }
      let header = "Authorization: Basic " + base64(Array("user:open sesame".utf8))
      let admitted = try client.get("/hello", headers: [header])
      #expect(admitted.status == 200)
    }
  }

  @Test func usersOfTheFileAndTheirReload() async throws {
    let folder = Folder()
    func write(_ user: String) {
      folder.write(
        "web.yml",
        "basic_auth_users:\n  \(user): \(AuthenticationTests.cheapHash)\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n"
      )
    }
    write("alice")
    let configuration = try WebConfiguration(.file(folder.path + "/web.yml"), log: quietLog)
    try await withServer([hello], configuration: configuration) { port, _ in
      let client = try TestClient(port: port)
      let alice = ["Authorization: Basic " + base64(Array("alice:open sesame".utf8))]
      let admitted = try client.get("/hello", headers: alice)
      #expect(admitted.status == 200)
      #expect(admitted.header("X-Frame-Options") == "deny")
      write("bob")
      try await configuration.reload()
      let refused = try client.get("/hello", headers: alice)
      #expect(refused.status == 401)
      #expect(refused.header("X-Frame-Options") == "deny")
    }
  }
}
