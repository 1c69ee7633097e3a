import ArgumentParser
import Config
import Fleet
import Logging
import Metrics
import NIOPosix
import Redis

/// Whom `redline acl` and `redline check-access` are about: the servers of a fleet's file, or one with the daemon's flags.
struct AccessSubject {
  let options: Options
  /// Nil for one server.
  let fleet: FleetConfig?
  /// The files that it declares.
  let declared: DeclaredFiles
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
    // A command is about the whole file, whatever part of it the daemon of this machine watches.
    let whole = environment.filter { $0.key != "REDLINE_SHARD" }
    guard case .run(let options) = try Invocation.parse(words, environment: whole) else {
      throw ConfigErrors(ConfigError(.commandLine, problem: "asks for no server", hint: "leave --version out"))
    }
    self.options = options
    self.environment = environment
    let fleet = try options.configFile.map { path throws(ConfigErrors) in
      try FleetConfig.load(path).share(of: options.shard)
    }
    self.fleet = fleet
    declared = try fleet.map { config throws(ConfigErrors) in try DeclaredFiles.read(config) } ?? DeclaredFiles()
    factory = TargetFactory(
      options: options, credentials: try CredentialStore(options.redis, environment: environment),
      context: ConnectionContext(group: MultiThreadedEventLoopGroup(numberOfThreads: 1)),
      scripts: options.keys.scripts.map { ($0, "") },
      searchIndexes: try SearchIndexPattern.matcher(options.export.searchIndexPattern), log: Self.log)
  }

  private func needs(_ server: ServerFacts) -> AccessNeeds {
    AccessNeeds(
      server: server, collectors: factory.collectorOptions, namesClients: options.redis.isClientNameSet,
      gathersEvidence: fleet?.evidence.isEnabled ?? false)
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

/// Watches a fleet for as long as it takes to find everybody, and no longer.
enum FleetSearch {
  /// How long the fleet is looked for, and how long nobody new must have been found.
  private static let limit: Duration = .seconds(20)
  private static let quietTime: Duration = .seconds(2)
  private static let pause: Duration = .milliseconds(100)

  /// - Parameter take: what is taken of the fleet once everybody has been found and polled.
  static func run<Result: Sendable>(
    _ config: FleetConfig, _ subject: AccessSubject, take: (Fleet) async -> Result
  ) async -> Result {
    let fleet = Fleet(
      config, declared: subject.declared,
      context: FleetContext(
        connections: subject.factory.context, registry: Registry(live: []), environment: subject.environment,
        collectors: subject.factory.collectorOptions, clientName: nil, memberLimit: 10_000, store: nil,
        log: AccessSubject.log))
    await fleet.start()
    let clock = ContinuousClock()
    let began = clock.now
    var (seen, changed) = (0, began)
    while clock.now - began < limit {
      try? await Task.sleep(for: pause)
      let members = await fleet.members()
      if members.count != seen { (seen, changed) = (members.count, clock.now) }
      if clock.now - changed >= quietTime, members.allSatisfy({ $0.node.poller.newest != nil }) { break }
    }
    let result = await take(fleet)
    await fleet.stop()
    return result
  }
}

/// A server that ACL rules are meant for, as users name it: `redis-7.0`, `valkey-8.1`.
struct ServerVersion: ExpressibleByArgument {
  let product: ServerFacts.Product
  let version: Version

  /// The first with ACLs.
  private static let oldest = Version(6)

  init?(argument: String) {
    let halves = argument.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, halves[1].first?.isNumber == true else { return nil }
    switch halves[0].lowercased() {
    case "redis": product = .redis
    case "valkey": product = .valkey
    default: return nil
    }
    version = Version(String(halves[1]))
    guard version >= Self.oldest else { return nil }
  }

  var defaultValueDescription: String { "\(product)-\(version.major).\(version.minor)" }
  static let allValueStrings: [String] = []

  func facts(_ mode: ServerFacts.Mode, sentinelMasters: [String] = []) -> ServerFacts {
    ServerFacts(product: product, version: version, mode: mode, sentinelMasters: sentinelMasters)
  }

  /// As Redis counts: what decides about the language of ACLs.
  var redisVersion: Version { product == .valkey ? Version(7, 2, 4) : version }
}
