import Config
import Redis
import Web

/// What a `/scrape` request asks for.
struct ScrapeRequest: Sendable, Hashable {
  let address: RedisAddress
  let overrides: TargetFactory.Overrides

  /// The error of a request that cannot be served; answered with 400.
  struct Refusal: Error {
    let message: String
  }

  /// Reads the query.
  ///
  /// A target without a scheme is `redis://`; a password in it is not used, since anybody may ask.
  init(_ request: Request) throws(Refusal) {
    guard let target = request.queryValue("target"), !target.isEmpty else {
      throw Refusal(message: "'target' parameter must be specified")
    }
    do throws(RedisAddressError) {
      address = try RedisAddress(target).withoutPassword
    } catch {
      throw Refusal(message: "Invalid 'target' parameter: \(error)")
    }
    var overrides = TargetFactory.Overrides()
    overrides.keys = try Self.patterns("check-keys", request)
    overrides.singleKeys = try Self.patterns("check-single-keys", request)
    overrides.streams = try Self.patterns("check-streams", request)
    overrides.singleStreams = try Self.patterns("check-single-streams", request)
    overrides.counts = try Self.patterns("count-keys", request)
    let serverName = request.queryValue("tls_server_name") ?? request.queryValue("tls-server-name")
    overrides.tlsServerName = serverName.flatMap { $0.isEmpty ? nil : $0 }
    self.overrides = overrides
  }

  private static func patterns(_ name: String, _ request: Request) throws(Refusal) -> [KeyPattern]? {
    guard let text = request.queryValue(name), !text.isEmpty else { return nil }
    do throws(Mismatch) {
      return try KeyPattern.list(text)
    } catch {
      throw Refusal(message: "Invalid '\(name)' parameter: \(error)")
    }
  }
}

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

  /// Why a target does not get the general password, with what to do; nil for one that gets it.
  func distrust(of address: RedisAddress, serverName: String?) -> String? {
    guard address.user == nil || address.user == user ?? configured?.user else {
      return "the target names another user than the general password is for; leave the user out, \(Self.ownPassword)"
    }
    guard acceptsName(serverName, of: address) else {
      return "the request names another tls_server_name than the certificate is checked against; leave it out"
    }
    if let configured, configured.endpoint == address.endpoint {
      if configured.usesTLS == address.usesTLS { return nil }
      return "the target and --redis.addr are the same server, one with TLS and one without; give both the same scheme"
    }
    if let configured, configured.usesTLS, !address.usesTLS {
      return "--redis.addr has TLS and the target has none; name the target as rediss://, \(Self.ownPassword)"
    }
    if !allowed.isEmpty, allowed.allows(address.endpoint) { return nil }
    return "list its host in --scrape.allow, so that it gets the general password, \(Self.ownPassword)"
  }

  private static let ownPassword =
    "or list its address with a password of its own in the file of --redis.password-file"

  func includes(_ address: RedisAddress, serverName: String?) -> Bool {
    distrust(of: address, serverName: serverName) == nil
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
