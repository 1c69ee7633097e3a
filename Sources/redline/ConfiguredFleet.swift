import API
import Alerting
import Config
import Fleet
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Storage

/// The fleet of `config.file`, with the page that all of it is on.
struct ConfiguredFleet: Sendable {
  let fleet: Fleet
  let registry: Registry
  /// Idle while the configuration has neither rules nor a history.
  let rules: ConfiguredRules
  /// Idle while no Alertmanager is configured.
  let notifier: Notifier
  /// Idle while the configuration has no rules.
  let evidence: EvidenceGatherer
  let runbooks: RunbookSource
  /// Idle without `--shard`, or while the configuration has no `shards`.
  private let peers: ShardPeers
  /// What other shards tell.
  var others: OtherShards {
    OtherShards(
      share: { [inForce] in inForce.withLock { $0.config.share } }, ask: { [peers] in await peers.ask($0) })
  }
  private let environment: [String: String]
  private let options: Options
  private let store: Store?
  /// Nil where nothing is recorded.
  private let recorder: ConfiguredRecorder?
  /// Nil without storage.path.
  var events: EventStore? { store?.events }
  var notifications: NotificationStore? { store?.notifications }
  private let inForce: Lock<Loaded>
  /// What runbooks are filled in with.
  private let books: Lock<Books>
  /// What clients may hand in, with the tokens that are in force.
  var intakes: Intakes {
    func token(_ source: @escaping @Sendable (FleetConfig) -> SecretSource?) -> Intakes.Token {
      { [inForce, environment] in
        guard let token = inForce.withLock({ source($0.config) }) else { return nil }
        return try await SecretReader.shared.read(token, environment: environment)
      }
    }
    return Intakes(
      checks: VerifiedChecks(fleet.checks, token: token { $0.results?.token }),
      marks: KeptMarks(fleet.marks, token: token { $0.marks?.token }))
  }
  var path: String { inForce.withLock { $0.path } }
  /// What runs: after a refused reload not what the file says.
  var runningConfiguration: FleetConfig { inForce.withLock { $0.config } }
  /// The file and the rule files as they were read last, whether they could be used or not.
  private let seen = Lock<[[UInt8]]>([])
  private let log: Logger

  /// How often the file is looked at for changes.
  static let fileInterval: Duration = .seconds(2)

  private static let fileLimitBytes = 8 << 20

  /// Until alerts that wait for an Alertmanager are given up at the end.
  static let drainDeadline: Duration = .seconds(8)

  /// Where runbooks are, and what they are filled in with.
  private struct Books: Sendable {
    let setting: RunbookSetting
    let folder: String?

    init(_ setting: RunbookSetting, folder: String?) { (self.setting, self.folder) = (setting, folder) }
  }

  /// The configuration and the rules that it names, read and found good.
  struct Loaded: Sendable {
    let path: String
    let config: FleetConfig
    let declared: DeclaredFiles
    var rules: ConfiguredRules.Rules
  }

  /// - Throws: ``ConfigErrors`` or ``StoreError`` for a file that cannot be used.
  init(
    _ loaded: Loaded, options: Options, factory: TargetFactory, environment: [String: String], memberLimit: Int,
    live: [@Sendable () -> Samples], log: Logger
  ) async throws {
    let (path, config, loadedRules) = (loaded.path, loaded.config, loaded.rules)
    self.log = log
    self.options = options
    self.environment = environment
    inForce = Lock(loaded)
    var store: Store?
    if let path = options.storagePath {
      store = try await Store.open(path) { notice in
        let level: Logger.Level =
          switch notice.severity {
          case .info: .info
          case .warning: .warning
          case .error: .error
          }
        log.log(level: level, "\(notice.text)")
      }
    } else {
      log.warning("without storage.path, events are not kept and failover counts restart at 0")
    }
    self.store = store
    await store?.events.noteBegin(at: .now)
    let health: @Sendable () -> Samples = { [store] in
      var sink = SampleSink()
      if let health = store?.health { StorageFamilies.collect(health, into: &sink) }
      return sink.finish()
    }
    let told = await store?.notifications.newest(NotificationQuery(limit: 10_000)) ?? []
    let notifier = try Notifier(
      config.alerting, file: path, externalLabels: loadedRules.options.externalLabels,
      externalURL: loadedRules.options.externalURL, environment: environment, group: factory.context.group, log: log,
      told: told
    ) { [store] records in store?.notifications.append(records) }
    self.notifier = notifier
    let peers = ShardPeers(options.shard, group: factory.context.group, environment: environment, log: log)
    peers.apply(config.shards)
    self.peers = peers
    let registry = Registry(live: live + [health, { notifier.samples() }, { peers.samples() }])
    self.registry = registry
    let books = Lock(Books(Self.setting(loaded, options, environment), folder: loadedRules.runbooks))
    self.books = books
    let recorder = ConfiguredRecorder(
      config.recorder, shard: options.shard, storagePath: options.storagePath, log: log)
    self.recorder = recorder
    let fleet = Fleet(
      config, file: path, declared: loaded.declared,
      context: FleetContext(
        connections: factory.context, registry: registry, environment: environment,
        collectors: factory.collectorOptions, keyDutyRatio: options.keys.dutyRatio,
        clientName: options.redis.isClientNameSet ? "redline" : nil,
        memberLimit: max(1, memberLimit / max(1, config.workloads.count)), store: store, recorder: recorder?.recorder,
        log: log)
    )
    self.fleet = fleet
    let runbooks = RunbookSource(folder: { books.withLock(\.folder) }, setting: { books.withLock(\.setting) })
    self.runbooks = runbooks
    let evidence = EvidenceGatherer(fleet: fleet, connections: factory.context, store: store, log: log) { alert in
      await runbooks.evidence(of: alert) { problems in
        log.warning("a runbook names evidence that there is none of", metadata: ["error": "\(problems)"])
      }
    }
    evidence.enable(config.evidence.isEnabled)
    self.evidence = evidence
    let rules = ConfiguredRules(
      loadedRules, options: options, registry: registry, storage: store, observer: recorder?.observer, log: log,
      alertsChanged: { evidence.note($0) },
      deliver: { notices, expression in
        let setting = books.withLock(\.setting)
        notifier.send(
          notices.map { setting.annotated($0, evidence: evidence.id(of: EvidenceAlert($0.labels))) },
          expression: expression)
      })
    self.rules = rules
    registry.add { rules.isOn ? rules.engine.samples() : .none }
    registry.add { rules.isOn ? evidence.samples() : .none }
    if let recorder { registry.add { recorder.recorder.samples() } }
    await rules.apply(loadedRules)
    recorder?.apply(loaded, engine: rules.engine)
    Self.tellOfSilence(config, log)
    log.info("fleet", metadata: ["config": "\(path)", "workloads": "\(config.summary)"])
    let contents = await contents()
    seen.withLock { $0 = contents ?? [] }
  }

  /// Reads the configuration that the options name, and everything that it names; nil where they name none.
  static func load(_ options: Options) async throws(ConfigErrors) -> Loaded? {
    guard let path = options.configFile else { return nil }
    var loaded = try await FileWork.shared.value(
      of: path, within: .seconds(10), isTold: false
    ) { () throws(ConfigErrors) in
      let config = try FleetConfig.load(path).share(of: options.shard)
      if let alerting = config.alerting { try Notifier.check(alerting, file: path) }
      let declared = try DeclaredFiles.read(config)
      return Loaded(
        path: path, config: config, declared: declared, rules: try ConfiguredRules.load(config, options: options))
    }
    loaded.rules = try await ConfiguredRules.withWatchdog(loaded.rules)
    return loaded
  }

  private static func setting(
    _ loaded: Loaded, _ options: Options, _ environment: [String: String]
  ) -> RunbookSetting {
    RunbookSetting(
      loaded.config, path: loaded.path, ownAddress: loaded.rules.options.externalURL,
      metricsPath: options.web.telemetryPath, credentialsFolder: environment["CREDENTIALS_DIRECTORY"])
  }

  /// Starts to watch and to judge. When it returns, the counters of all workloads are on the page.
  func start() async {
    recorder?.recorder.start()
    await fleet.start()
    await rules.engine.start()
  }

  private static func tellOfSilence(_ config: FleetConfig, _ log: Logger) {
    guard config.alerting == nil, config.rules != nil else { return }
    log.info("rules are evaluated, but alerts are sent nowhere: alerting.alertmanagers is not configured")
  }

  /// The bytes of every file that a change of is to be taken over; nil where one cannot be read.
  private func contents() async -> [[UInt8]]? {
    let paths = [path] + rules.paths.filter { $0 != ConfiguredRules.builtIn }
    let declared = inForce.withLock { $0.declared }
    return try? await FileWork.shared.value(
      of: path, isRecorded: false
    ) { () throws(FileProblem) in
      var contents: [[UInt8]] = []
      for path in paths { contents.append(try RegularFile.bytes(path, limitBytes: Self.fileLimitBytes)) }
      return contents + (try declared.contents())
    }
  }

  /// Ends the watching and writes what is still to be kept.
  func stop() async {
    // A server that is watched no more is not down: the rules end first.
    await rules.engine.stop()
    await fleet.stop()
    await recorder?.recorder.stop()
    await notifier.drain(until: .now() + TimeAmount(Self.drainDeadline))
    await store?.close()
  }

  /// Takes over the file whenever it changes, until the task is cancelled.
  func run() async {
    async let gathering: Void = evidence.run()
    async let taking: Void = fleet.checks.run()
    async let asking: Void = peers.run(others)
    await watchFiles()
    _ = await (gathering, taking, asking)
  }

  private func watchFiles() async {
    var unreadableCount = 0
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.fileInterval)
      // A file that is being replaced is not there for a moment.
      guard let now = await contents() else {
        unreadableCount += 1
        if unreadableCount == 2 { await tellWhyUnreadable() }
        continue
      }
      unreadableCount = 0
      guard now != seen.withLock({ $0 }), !Task.isCancelled else { continue }
      do throws(ConfigErrors) { try await reload() } catch {
        log.error(
          "the changed configuration cannot be used: the old one stays in force", metadata: ["error": "\(error)"])
      }
    }
  }

  private func tellWhyUnreadable() async {
    do throws(ConfigErrors) { _ = try await Self.load(options) } catch {
      log.error("the configuration cannot be read: the old one stays in force", metadata: ["error": "\(error)"])
    }
  }

  private func look() async {
    if let contents = await contents() { seen.withLock { $0 = contents } }
  }

  /// Reads the file again; workloads that are the same keep running untouched.
  /// - Throws: everything that is wrong in it; nothing has changed then.
  func reload() async throws(ConfigErrors) {
    await look()
    guard let loaded = try await Self.load(options) else { return }
    let config = loaded.config
    try notifier.apply(
      config.alerting, file: path, externalLabels: loaded.rules.options.externalLabels,
      externalURL: loaded.rules.options.externalURL)
    await rules.apply(loaded.rules)
    peers.apply(config.shards)
    recorder?.apply(loaded, engine: rules.engine)
    inForce.withLock { $0 = loaded }
    books.withLock { $0 = Books(Self.setting(loaded, options, environment), folder: loaded.rules.runbooks) }
    evidence.enable(config.evidence.isEnabled)
    Self.tellOfSilence(config, log)
    await look()
    await fleet.apply(config, declared: loaded.declared)
    log.info("configuration loaded", metadata: ["config": "\(path)", "workloads": "\(config.summary)"])
  }
}
