import API
import Config
import Fleet
import Glibc
import Logging
import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime
import UnixSignals
import Web

/// The daemon: everything put together, from the options to the end.
struct Daemon: Sendable {
  let options: Options
  let log: Logger
  let credentials: CredentialStore
  let factory: TargetFactory
  let web: WebConfiguration
  /// Nil when only `/scrape` is used, or a fleet is watched.
  let node: Node?
  /// Nil when one server is watched by flags.
  let configured: ConfiguredFleet?
  /// Which other sites' pages may read the API; nil for none.
  let cors: CORSPolicy?
  let targets: ScrapeTargets<ScrapeRequest>
  let scrapeErrors: Counter
  let reloads: ReloadEndpoint
  let systemd: SystemdNotify
  let health: Health

  /// Sockets to Redis that one target holds at most: polls, and key work or the probe.
  static let connectionsPerTarget = 2
  /// The same of a member of a fleet: polls, the probe, and work on keys.
  static let connectionsPerMember = 3
  /// The most targets of `/scrape` that are kept open.
  static let scrapeTargetLimit = 2048
  /// The fewest that there must be room for.
  static let scrapeTargetMinimum = 8

  /// - Throws: ``ConfigError`` or ``WebError``: what is wrong with the options, to be shown as it is.
  init(_ options: Options, environment: [String: String], log: Logger) async throws {
    self.options = options
    reloads = ReloadEndpoint(isEnabled: options.web.isLifecycleEnabled)
    self.log = log
    systemd = SystemdNotify(environment: environment)
    let (scrapeTargetCount, memberCount) = try Self.claimDescriptors(options)
    FileWork.shared.addListener { file, reason in
      if let reason {
        log.error(
          "a file cannot be used: its previous content stays in force",
          metadata: ["file": "\(file)", "error": "\(reason)"])
      } else {
        log.info("a file can be used again", metadata: ["file": "\(file)"])
      }
    }
    let files = try await StartupFiles.read(options, environment: environment, log: log)
    credentials = files.credentials
    web = files.web
    cors = files.cors
    let factory = TargetFactory(
      options: options, credentials: credentials,
      context: ConnectionContext(
        group: MultiThreadedEventLoopGroup(numberOfThreads: min(2, System.coreCount))),
      scripts: files.scripts, searchIndexes: files.searchIndexes, log: log)
    self.factory = factory
    health = Health(loops: factory.context.group)
    let scrapeErrors = Counter(ExporterFamilies.targetScrapeErrors)
    self.scrapeErrors = scrapeErrors
    let live =
      ExporterFamilies.sources(options.export, scrapeErrors, withProcess: true) + ShardFamilies.sources(options.shard)
    if let loaded = files.fleet {
      configured = try await ConfiguredFleet(
        loaded, options: options, factory: factory, environment: environment, memberLimit: memberCount, live: live,
        log: log)
    } else {
      configured = nil
    }
    node = try files.address.map { try factory.configured($0, live: live) }
    targets = ScrapeTargets(limit: scrapeTargetCount) { request in
      try factory.scraped(
        request.address, request.overrides,
        live: ExporterFamilies.sources(
          options.export, Counter(ExporterFamilies.targetScrapeErrors), withProcess: false))
    }
  }

  /// Raises the limit on descriptors and checks that what the options allow fits.
  /// - Returns: how many targets of `/scrape`, and how many members of a fleet, there is room for.
  private static func claimDescriptors(_ options: Options) throws(WebError) -> (targets: Int, members: Int) {
    let limit = DescriptorLimit.raise()
    let room = limit - options.web.maxConnections - DescriptorBudget.spare - connectionsPerTarget
    let targets =
      options.web.isScrapeEnabled
      ? min(scrapeTargetLimit, max(scrapeTargetMinimum, room / 2 / connectionsPerTarget)) : 1
    let budget = DescriptorBudget(
      limit: limit, webConnections: options.web.maxConnections,
      redisConnections: (targets + 1) * connectionsPerTarget)
    if let shortage = budget.shortage { throw WebError(shortage) }
    return (targets, max(1, (room - targets * connectionsPerTarget) / connectionsPerMember))
  }

  /// Serves until SIGTERM or SIGINT; SIGHUP reloads.
  ///
  /// - Throws: ``WebError`` when the address cannot be listened on.
  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
    LastWords.limitEnd()
    let server = WebServer(
      try endpoint(), options: serverLimits, configuration: web, routes: routes, log: log)
    // The first scrape already finds the counters, so that `increase()` misses nothing.
    await configured?.start()
    health.start()
    try server.start()
    for notice in options.notices { log.warning("\(notice)") }
    if let note = options.scrapeNote { log.info("\(note)") }
    let part = options.shard.map { "shard \($0) of " } ?? ""
    let watched = configured.map { "\(part)those of \($0.path)" } ?? node?.name ?? "none, /scrape only"
    log.info("redline \(BuildInfo.version) runs", metadata: ["redis": "\(watched)"])
    await systemd.ready(status: "watches \(watched)")
    let pulse = Task { await systemd.beat { health.isAlive } }
    let work = Task {
      await node?.run()
      await configured?.run()
    }
    for await signal in signals {
      guard signal == .sighup else {
        log.info("stopping", metadata: ["signal": "\(signal)"])
        break
      }
      await reload()
    }
    await systemd.stopping()
    work.cancel()
    pulse.cancel()
    // Requests that wait for a poll get the newest snapshot, then the server can end.
    await node?.poller.stop()
    await configured?.stop()
    await targets.stop()
    await server.stop()
  }

  private func endpoint() throws(WebError) -> WebServer.Endpoint {
    options.web.isSystemdSocketUsed
      ? .descriptor(try SystemdSocket.listener()) : .address(options.web.listenAddress)
  }

  private var serverLimits: ServerLimits {
    var limits = ServerLimits()
    limits.connectionLimit = options.web.maxConnections
    return limits
  }

  /// Reads every file again that the options name.
  /// - Returns: what is wrong, or nil; what cannot be read stays as it was.
  @discardableResult
  func reload() async -> String? {
    await systemd.reloading()
    var problems: [String] = []
    do throws(ConfigError) { try await credentials.reload() } catch { problems.append("\(error)") }
    do throws(WebError) { try await web.reload() } catch { problems.append("\(error)") }
    do throws(ConfigErrors) { try await configured?.reload() } catch { problems.append("\(error)") }
    Task {
      await node?.reset()
      await targets.reset()
    }
    for problem in problems {
      log.error("reload failed: the old settings stay in force", metadata: ["error": "\(problem)"])
    }
    if problems.isEmpty { log.info("reloaded") }
    await systemd.ready(
      status: problems.isEmpty ? "reloaded" : "reload failed: the old settings stay in force, the log says why")
    return problems.isEmpty ? nil : problems.joined(separator: "\n")
  }
}

extension Daemon {
  /// What the fleet was found to be, as Prometheus http_sd takes it: one group for each server.
  func serviceDiscovery() async -> Response {
    guard let configured else { return .text("service discovery needs config.file\n", status: 404) }
    var json = JSONWriter()
    let members = await configured.fleet.members().filter { $0.standing != "ghost" }
    json.lines { json in for member in members { member.writeTarget(to: &json) } }
    json.verbatim("\n")
    return .json(json.bytes)
  }

  /// The member of the fleet that a `/scrape` request means; nil for other targets and requests that ask for more.
  func member(_ request: ScrapeRequest) async -> FleetMember? {
    guard request.overrides == TargetFactory.Overrides() else { return nil }
    return await configured?.fleet.members().first { $0.address.endpoint == request.address.endpoint }
  }
}

extension FleetMember {
  /// As one group of Prometheus http_sd.
  fileprivate func writeTarget(to json: inout JSONWriter) {
    json.object { json in
      json.key("targets")
      json.strings(["\(address)"])
      json.key("labels")
      json.object { json in
        json.field("instance", instance)
        json.field("__meta_redline_role", role.rawValue)
        json.field("__meta_redline_workload", workload)
        // Sentinels may serve several workloads and belong to none.
        if role != .sentinel { json.field("workload", workload) }
        if let environment { json.field("environment", environment) }
      }
    }
  }
}
