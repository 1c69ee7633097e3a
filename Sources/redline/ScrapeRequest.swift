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
