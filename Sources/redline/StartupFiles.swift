import API
import Config
import Logging
import PromQL
import Redis
import Runtime
import Web

/// All that a start reads, and refuses where it cannot be used. `redline check config` reads the same.
struct StartupFiles: Sendable {
  let credentials: CredentialStore
  /// Lua scripts; their file names are labels of their series.
  let scripts: [(fileName: String, source: String)]
  /// Which search indexes are looked at, by name; nil for none.
  let searchIndexes: (@Sendable ([UInt8]) -> Bool)?
  let web: WebConfiguration
  /// The one server that is watched; nil when only `/scrape` is used, or a fleet is watched.
  let address: RedisAddress?
  let fleet: ConfiguredFleet.Loaded?
  /// Which other sites' pages may read the API; nil for none.
  let cors: CORSPolicy?

  /// - Throws: ``ConfigError``, ``ConfigErrors`` or ``WebError``: what is wrong, to be shown as it is.
  static func read(_ options: Options, environment: [String: String], log: Logger) async throws -> StartupFiles {
    StartupFiles(
      credentials: try await credentials(options.redis, environment),
      scripts: try await scripts(options.keys.scripts),
      searchIndexes: try SearchIndexPattern.matcher(options.export.searchIndexPattern),
      web: try await WebConfiguration.read(
        options.web.configFile.map { .file($0) }
          ?? .settings(WebSettings(tls: options.web.tls, login: options.web.basicAuth)), log: log),
      address: try options.configFile == nil ? options.redis.address.map(address) : nil,
      fleet: try await ConfiguredFleet.load(options), cors: try options.web.corsOrigin.map(cors))
  }

  private static func cors(_ origin: String) throws(ConfigError) -> CORSPolicy {
    do throws(RegexError) {
      return try CORSPolicy(origin)
    } catch {
      throw ConfigError(
        .flag("web.cors.origin"), value: origin, problem: "is no expression: \(error.reason)",
        hint: "write one that matches a whole origin, such as https?://grafana\\.example\\.org")
    }
  }

  private static func address(_ text: String) throws(ConfigError) -> RedisAddress {
    do throws(RedisAddressError) {
      return try RedisAddress(text)
    } catch {
      throw ConfigError(.flag("redis.addr"), problem: "is no address: \(error)")
    }
  }

  private static func credentials(
    _ options: RedisOptions, _ environment: [String: String]
  ) async throws(ConfigError) -> CredentialStore {
    try await FileWork.shared.value(of: CredentialStore.files(of: options)) { () throws(ConfigError) in
      try CredentialStore(options, environment: environment)
    }
  }

  private static func scripts(_ paths: [String]) async throws(ConfigError) -> [(fileName: String, source: String)] {
    var scripts: [(fileName: String, source: String)] = []
    for path in paths {
      let source = try await FileWork.shared.value(of: path) { () throws(ConfigError) in
        String(decoding: try readFile(path, limitBytes: scriptLimitBytes), as: UTF8.self)
      }
      scripts.append((path, source))
    }
    return scripts
  }

  private static let scriptLimitBytes = 1 << 20
}
