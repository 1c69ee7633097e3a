import Config
import Redis

/// How a person reaches one server with redis-cli: as the daemon does, by what `redline.yml` says of its side.
///
/// A password never stands in it, only where it is to be read from.
struct ServerCommand: Sendable, Equatable {
  /// Before `redis-cli`, with a blank behind it: `REDISCLI_AUTH=$(cat /etc/redline/sessions.password) `; empty for no login.
  let login: String
  /// `-h 10.0.0.1 -p 6379`, or `-s /run/redis.sock`.
  let place: String
  /// User, TLS and database, each with a blank before it.
  let options: String
  /// nil for a socket.
  let host: String?
  let port: Int?

  /// Nil for an address that cannot stand in a command.
  ///
  /// - Parameters:
  ///   - passwordName: the variable that a person sets where the password stands in `redline.yml` itself.
  ///   - credentialsFolder: `$CREDENTIALS_DIRECTORY` of the daemon.
  init?(
    _ address: RedisAddress, login: LoginConfig?, tls: TLSConfig?, passwordName: String, credentialsFolder: String?
  ) {
    switch address.endpoint {
    case .tcp(let host, let port):
      guard let word = ShellText.host(host) else { return nil }
      (self.host, self.port, place) = (word, port, "-h \(word) -p \(port)")
    case .unix(let path):
      guard let word = ShellText.word(path) else { return nil }
      (host, port, place) = (nil, nil, "-s \(word)")
    }
    var words: [String] = []
    func add(_ flag: String, _ value: String?) {
      if let value, let word = ShellText.word(value) { words += [flag, word] }
    }
    add("--user", login?.user)
    if address.usesTLS {
      words.append("--tls")
      add("--cacert", tls?.authoritiesFile)
      add("--cert", tls?.certificateFile)
      add("--key", tls?.keyFile)
      add("--sni", tls?.serverName)
      if tls?.isVerificationSkipped ?? false { words.append("--insecure") }
    }
    if address.database > 0 { words += ["-n", String(address.database)] }
    options = words.map { " \($0)" }.joined()
    self.login =
      login.map { Self.assignment($0.password, passwordName: passwordName, credentialsFolder: credentialsFolder) } ?? ""
  }

  private static func assignment(
    _ source: SecretSource, passwordName: String, credentialsFolder: String?
  ) -> String {
    switch source {
    case .literal: return "REDISCLI_AUTH=$\(passwordName) "
    case .environment(let name): return "REDISCLI_AUTH=$\(name) "
    case .file(let path): return ShellText.word(path).map { "REDISCLI_AUTH=$(cat \($0)) " } ?? ""
    case .credential(let name):
      guard let word = ShellText.word((credentialsFolder ?? "/run/credentials/redline.service") + "/" + name) else {
        return ""
      }
      return "REDISCLI_AUTH=$(cat \(word)) "
    }
  }

  /// Behind `redis-cli`.
  var arguments: String { place + options }

  /// `host:port`, as `redis-cli --cluster` takes it; nil for a socket.
  var address: String? {
    guard let host, let port else { return nil }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
