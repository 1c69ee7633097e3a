import Config
import Redis

/// Where the general password, with its user and the client certificate, may go when a request names the target: to the very
/// address that it is configured for, and to what `scrape.allow` lists. A request can neither switch TLS off nor choose
/// another user, nor another name for the certificate to be checked against.
struct TargetTrust: Sendable {
  /// `redis.addr`
  var configured: RedisAddress?
  /// `redis.user`
  var user: String?
  /// `tls-server-name`
  var serverName: String?
  /// `scrape.allow`
  var allowed: HostFilter

  func includes(_ address: RedisAddress, serverName: String?) -> Bool {
    guard address.user == nil || address.user == user ?? configured?.user else { return false }
    guard acceptsName(serverName, of: address) else { return false }
    if let configured, configured.endpoint == address.endpoint { return configured.usesTLS == address.usesTLS }
    if let configured, configured.usesTLS, !address.usesTLS { return false }
    return !allowed.isEmpty && allowed.allows(address.endpoint)
  }

  /// Whether a certificate is checked against the name that it would be checked against unasked. Otherwise any credentials
  /// would go to anyone with a certificate of another name.
  func acceptsName(_ serverName: String?, of address: RedisAddress) -> Bool {
    guard let serverName else { return true }
    if let own = self.serverName { return serverName == own }
    guard case .tcp(let host, _) = address.endpoint else { return false }
    return serverName == host
  }
}

extension HostFilter {
  /// Whether a request may name this place.
  func allows(_ endpoint: Endpoint) -> Bool {
    switch endpoint {
    case .tcp(let host, _): allows(host: host)
    case .unix(let path): allows(socketPath: path)
    }
  }
}
