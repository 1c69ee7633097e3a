import Config
import Fleet
import Logging
import Metrics
import Redis
import Runtime
import Storage

/// The fleet of `config.file`, with the page that all of it is on.
struct FleetWatch: Sendable {
  let path: String
  let fleet: Fleet
  let registry: Registry
  private let store: Store?
  /// Nil without storage.path.
  var events: EventStore? { store?.events }
  /// The file as it was read last, whether it could be used or not.
  private let seen = Lock<[UInt8]?>(nil)
  private let log: Logger

  /// How often the file is looked at for changes.
  static let fileInterval: Duration = .seconds(2)

  /// - Throws: ``ConfigErrors`` or ``StoreError`` for a file that cannot be used.
  init(
    _ path: String, options: Options, factory: TargetFactory, environment: [String: String], memberLimit: Int,
    live: [@Sendable () -> Samples], log: Logger
  ) async throws {
    self.path = path
    self.log = log
    seen.withLock { $0 = SmallFile.bytes(path) }
    let config = try FleetConfig.load(path)
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
      log.warning("without storage.path, events are not kept and failover counts begin at 0 with each start")
    }
    self.store = store
    let health: @Sendable () -> Samples = { [store] in
      var sink = SampleSink()
      if let health = store?.health {
        sink.add(ExporterFamilies.storageDurable, health.isDurable ? 1 : 0)
        sink.add(ExporterFamilies.storageDropped, Double(health.droppedEvents))
      }
      return sink.finish()
    }
    registry = Registry(live: live + [health])
    fleet = Fleet(
      config,
      context: FleetContext(
        connections: factory.context, registry: registry, environment: environment,
        collectors: factory.collectorOptions, keyDutyRatio: options.keys.dutyRatio,
        clientName: options.redis.isClientNameSet ? "redline" : nil,
        memberLimit: max(1, memberLimit / config.workloads.count), store: store, log: log))
    log.info("fleet", metadata: ["config": "\(path)", "workloads": "\(config.summary)"])
  }

  /// Ends the watching and writes what is still to be kept.
  func stop() async {
    await fleet.stop()
    await store?.close()
  }

  /// Takes over the file whenever it changes, until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.fileInterval)
      guard let bytes = SmallFile.bytes(path), bytes != seen.withLock({ $0 }), !Task.isCancelled else { continue }
      do throws(ConfigErrors) { try await reload() } catch {
        log.error("the changed configuration cannot be used, the old one stays", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Reads the file again; workloads that are the same keep running untouched.
  /// - Throws: everything that is wrong in it; nothing has changed then.
  func reload() async throws(ConfigErrors) {
    seen.withLock { $0 = SmallFile.bytes(path) }
    let config = try FleetConfig.load(path)
    await fleet.apply(config)
    log.info("configuration loaded", metadata: ["config": "\(path)", "workloads": "\(config.summary)"])
  }
}
