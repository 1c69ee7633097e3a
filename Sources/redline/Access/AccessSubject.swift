import Config
import Fleet
import Logging
import NIOPosix
import Redis

/// Whom `redline acl` and `redline check-access` are about: the servers of a fleet's file, or one with the daemon's flags.
struct AccessSubject {
  let options: Options
  /// Nil for one server.
  let fleet: FleetConfig?
  let factory: TargetFactory
  let environment: [String: String]

  static let log = Logger(label: "access") { _ in SwiftLogNoOpLogHandler() }

  /// - Parameter words: a file or an address first, where there is one, then flags of the daemon.
  /// - Throws: ``ConfigErrors`` for what the daemon would refuse as well.
  init(_ words: [String], environment: [String: String]) throws {
    var words = words
    if let first = words.first, !first.hasPrefix("-") {
      let isFile = first.hasSuffix(".yml") || first.hasSuffix(".yaml")
      words[0] = (isFile ? "--config.file=" : "--redis.addr=") + first
    }
    guard case .run(let options) = try Invocation.parse(words, environment: environment) else {
      throw ConfigErrors(ConfigError(.commandLine, problem: "asks for no server", hint: "leave --version out"))
    }
    self.options = options
    self.environment = environment
    fleet = try options.configFile.map { path throws(ConfigErrors) in try FleetConfig.load(path) }
    factory = TargetFactory(
      options: options, credentials: try CredentialStore(options.redis, environment: environment),
      context: ConnectionContext(group: MultiThreadedEventLoopGroup(numberOfThreads: 1)),
      scripts: options.keys.scripts.map { ($0, "") }, log: Self.log)
  }

  private func needs(_ server: ServerFacts) -> AccessNeeds {
    AccessNeeds(
      server: server, collectors: factory.collectorOptions, namesClients: options.redis.isClientNameSet)
  }

  /// What the one server of the flags needs to allow.
  func target(_ server: ServerFacts, database: Int) -> [AccessNeed] {
    needs(server).target(
      factory.keyWork(), database: database, pings: options.redis.isPingSent,
      discoversCluster: options.redis.isCluster)
  }

  func member(of workload: WorkloadConfig, _ server: ServerFacts) -> [AccessNeed] {
    needs(server).member(of: workload)
  }

  func sentinel(_ server: ServerFacts, masterNames: [String]) -> [AccessNeed] {
    needs(server).sentinel(masterNames: masterNames)
  }
}
