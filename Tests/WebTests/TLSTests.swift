import Config
import Glibc
import Testing

@testable import Web

extension SocketTests {
  /// TLS with the files of the configuration, against the client of OpenSSL.
  @Suite struct TLS {}
}

/// Authorities, servers and clients, made by the openssl command line.
final class Certificates: Sendable {
  /// For tests that change no file.
  static let shared: Certificates = {
    atexit { _ = shell("rm -rf '\(Certificates.shared.folder.path)'") }
    return Certificates()
  }()

  let folder = Folder()

  init() {
    let script = """
      set -e; cd '\(folder.path)'
      for ca in ca other; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$ca" -keyout $ca.key -out $ca.pem
      done
      sign() {
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr
        printf 'subjectAltName=%s\\nextendedKeyUsage=%s\\n' "$3" "$4" > $1.ext
        openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 3650 -extfile $1.ext -out $1.pem
      }
      sign first ca IP:127.0.0.1 serverAuth
      sign second ca IP:127.0.0.1 serverAuth
      sign client ca DNS:scraper.example,IP:10.1.2.3 clientAuth
      sign stranger other DNS:scraper.example clientAuth
      sign notclient ca DNS:scraper.example serverAuth
      cp first.pem server.pem; cp first.key server.key
      """
    let result = shell(script)
    precondition(result.status == 0, result.output)
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  /// The subject of the server's certificate and its answer, as the client of OpenSSL prints them.
  func get(_ port: Int, _ arguments: String = "", path: String = "/hello") -> String {
    shell(
      "printf 'GET \(path) HTTP/1.0\\r\\n\\r\\n' | (cat; sleep 0.1) | timeout 5 openssl s_client -connect 127.0.0.1:\(port)"
        + " -CAfile \(self.path("ca.pem")) -verify_return_error -ign_eof \(arguments)"
    ).output
  }

  func clientArguments(_ name: String) -> String { "-cert \(path(name + ".pem")) -key \(path(name + ".key"))" }

  var settings: WebSettings {
    WebSettings(tls: TLSSettings(certificateFile: path("server.pem"), keyFile: path("server.key")))
  }
}

extension SocketTests.TLS {
  @Test func certificateIsExchangedWithoutARestart() async throws {
    let certificates = Certificates()
    let configuration = try WebConfiguration(.settings(certificates.settings), log: quietLog)
    try await withServer([hello], configuration: configuration) { port, _ in
      let first = certificates.get(port)
      #expect(first.contains("subject=CN = first") && first.contains("hello world"))
      // By the change of the files alone, the key first: for a moment they do not fit, and the old ones stay.
      _ = shell("cp \(certificates.path("second.key")) \(certificates.path("server.key"))")
      try await Task.sleep(for: .milliseconds(1100))
      #expect(certificates.get(port).contains("subject=CN = first"))
      _ = shell("cp \(certificates.path("second.pem")) \(certificates.path("server.pem"))")
      try await Task.sleep(for: .milliseconds(1100))
      #expect(certificates.get(port).contains("subject=CN = second"))
      // By an explicit reload; one that fails changes nothing.
      _ = shell("cd \(certificates.folder.path); cp first.key server.key; cp first.pem server.pem")
      try await configuration.reload()
      #expect(certificates.get(port).contains("subject=CN = first"))
      certificates.folder.write("server.pem", "nonsense")
      let error = await #expect(throws: WebError.self) { try await configuration.reload() }
      #expect(error?.description.contains("server.pem") == true)
      #expect(certificates.get(port).contains("hello world"))
    }
  }

  @Test(arguments: [
    ("none", false), ("client", true), ("stranger", false), ("notclient", false),
  ]) func clientCertificates(name: String, isAdmitted: Bool) async throws {
    let certificates = Certificates.shared
    var settings = certificates.settings
    settings.tls?.clientAuthorityFile = certificates.path("ca.pem")
    settings.tls?.clientAuthentication = .requireAndVerify
    try await withServer([hello], configuration: WebConfiguration(.settings(settings), log: quietLog)) { port, _ in
      let output = certificates.get(port, name == "none" ? "" : certificates.clientArguments(name))
      #expect(output.contains("hello world") == isAdmitted)
    }
  }

  @Test(arguments: [
    ("RequestClientCert", "", "none", true),
    ("RequireAnyClientCert", "", "none", false),
    ("RequireAnyClientCert", "", "stranger", true),
    ("VerifyClientCertIfGiven", "client_ca_file: ca.pem", "none", true),
    ("VerifyClientCertIfGiven", "client_ca_file: ca.pem", "stranger", false),
    ("RequireAndVerifyClientCert", "client_ca_file: ca.pem\n  client_allowed_sans: [scraper.example]", "client", true),
    ("RequireAndVerifyClientCert", "client_ca_file: ca.pem\n  client_allowed_sans: [10.1.2.3]", "client", true),
    ("RequireAndVerifyClientCert", "client_ca_file: ca.pem\n  client_allowed_sans: [example]", "client", false),
  ]) func clientAuthTypes(type: String, more: String, name: String, isAdmitted: Bool) async throws {
    let certificates = Certificates.shared
    certificates.folder.write(
      "web.yml",
      "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_auth_type: \(type)\n  \(more)\n")
    let configuration = try WebConfiguration(.file(certificates.path("web.yml")), log: quietLog)
    try await withServer([hello], configuration: configuration) { port, _ in
      let output = certificates.get(port, name == "none" ? "" : certificates.clientArguments(name))
      #expect(output.contains("hello world") == isAdmitted)
    }
  }

  @Test(arguments: [
    ("min_version: TLS13", "-tls1_2", false), ("min_version: TLS13", "-tls1_3", true),
    ("max_version: TLS12", "-tls1_3", false), ("max_version: TLS12", "-tls1_2", true),
    ("min_version: TLS12", "-tls1_3", true),
    ("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]", "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", true),
    (
      "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]", "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", false
    ),
    ("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]", "-tls1_3", true),
    ("curve_preferences: [CurveP384]", "-tls1_3 -groups P-384", true),
    ("curve_preferences: [CurveP384]", "-tls1_3 -groups X25519", false),
  ]) func versionsCiphersAndCurves(setting: String, arguments: String, isAdmitted: Bool) async throws {
    let certificates = Certificates.shared
    certificates.folder.write(
      "web.yml", "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  \(setting)\n")
    let configuration = try WebConfiguration(.file(certificates.path("web.yml")), log: quietLog)
    try await withServer([hello], configuration: configuration) { port, _ in
      #expect(certificates.get(port, arguments).contains("hello world") == isAdmitted)
    }
  }

  @Test func largeBodiesAndSlowHandshakes() async throws {
    let certificates = Certificates.shared
    let big = Route("/big") { _ in Response(contentType: "text/plain", body: [UInt8](repeating: 65, count: 4 << 20)) }
    var limits = ServerLimits()
    limits.headerDeadlineSeconds = 0.5
    let configuration = try WebConfiguration(.settings(certificates.settings), log: quietLog)
    try await withServer([hello, big], options: limits, configuration: configuration) { port, _ in
      let stuck = try TestClient(port: port)
      stuck.send([22, 3, 1])
      #expect(certificates.get(port, path: "/big").utf8.count > 4 << 20)
      #expect(stuck.isClosed(withinSeconds: 2))
      let plain = try TestClient(port: port)
      plain.send("GET /hello HTTP/1.1\r\n\r\n")
      #expect(plain.isClosed(withinSeconds: 2))
    }
  }
}
