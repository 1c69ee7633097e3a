import Config
import HTTPClient
import Logging
import Metrics
import NIOCore
import Runtime
import Storage
import Transport

/// Tells every configured Alertmanager of every alert, each through a queue of its own.
public final class Notifier: Sendable {
  private struct Backlog {
    var queue: DeliveryQueue
    var log = NotificationLog()
  }

  private struct State {
    /// Nil while nobody is to be told.
    var config: AlertingConfig?
    var form: OutgoingForm
    /// By URL: those that are configured, and those that names stand for.
    var targets: [String: AlertmanagerTarget] = [:]
    var names: [DiscoveredName] = []
    /// What the names stand for at present.
    var discovered: [String: Set<String>] = [:]
    /// Alerts for the Alertmanagers of names that have not resolved yet.
    var backlogs: [String: Backlog] = [:]
    /// What was told before this run, by Alertmanager, until there is a target or a backlog for it.
    var earlier: [String: NotificationLog]
    var relabelDroppedCount = 0
    var isEnded = false

    var queueCapacity: Int { config?.queueCapacity ?? 0 }
  }

  private let state: Lock<State>
  private let environment: [String: String]
  private let context: HTTPContext
  private let record: @Sendable ([StoredNotification]) -> Void
  private let log: Logger
  private let asked = AlertmanagerViews()

  /// Starts at once.
  ///
  /// - Parameters:
  ///   - config: nil for nobody to tell, until another one is applied.
  ///   - file: names the configuration file in errors.
  ///   - externalLabels: labels for alerts that do not have them.
  ///   - externalURL: where people find this program; empty for alerts without a link.
  ///   - environment: where secrets may come from.
  ///   - told: what was recorded before this run, the newest first.
  ///   - record: is handed what Alertmanagers were told, but for repeats, and what they did not accept; must not wait.
  /// - Throws: expressions of relabelling that cannot be used.
  public init(
    _ config: AlertingConfig?, file: String, externalLabels: [String: String], externalURL: String,
    environment: [String: String], group: any EventLoopGroup, log: Logger, told: [StoredNotification] = [],
    record: @escaping @Sendable ([StoredNotification]) -> Void = { _ in }
  ) throws(ConfigErrors) {
    let form = try OutgoingForm(config, file: file, externalLabels: externalLabels, externalURL: externalURL)
    let earlier = NotificationLog.logs(of: told, atMilliseconds: WallTime.now.epochMs)
    state = Lock(State(config: config, form: form, earlier: earlier))
    self.environment = environment
    context = HTTPContext(group: group)
    self.record = record
    self.log = log
    settle()
  }

  deinit {
    let state = state.withLock { $0 }
    for name in state.names { name.stop() }
    for target in state.targets.values { target.stop() }
  }

  /// Finds what reading the configuration alone does not: expressions of relabelling that cannot be used.
  public static func check(_ config: AlertingConfig, file: String) throws(ConfigErrors) {
    _ = try Relabeling(config.relabel, file: file)
  }

  /// Queues the notices for every Alertmanager. Never waits.
  ///
  /// - Parameter expression: of the rule that gave the alerts, for the link to it.
  public func send(_ notices: [Notification], expression: String) {
    guard !notices.isEmpty else { return }
    let form = state.withLock { $0.form }
    let alerts = form.alerts(of: notices, expression: expression)
    let targets = state.withLock { state -> [AlertmanagerTarget] in
      guard !state.isEnded, state.config != nil else { return [] }
      state.relabelDroppedCount += notices.count - alerts.count
      for name in state.names where state.discovered[name.key] == nil {
        for alert in alerts { state.backlogs[name.key]?.queue.add(alert) }
      }
      return Array(state.targets.values)
    }
    for target in targets { target.send(alerts) }
  }

  /// Takes over another configuration. What waits for an Alertmanager that stays is kept, whatever else changed.
  ///
  /// - Parameter config: nil for nobody to tell.
  /// - Throws: expressions of relabelling that cannot be used; all stays as it was then.
  public func apply(
    _ config: AlertingConfig?, file: String, externalLabels: [String: String], externalURL: String
  ) throws(ConfigErrors) {
    let form = try OutgoingForm(config, file: file, externalLabels: externalLabels, externalURL: externalURL)
    state.withLock { state in
      state.config = config
      state.form = form
    }
    settle()
  }

  /// Delivers what waits, until nothing does or the deadline comes. Nothing is sent after that.
  public func drain(until deadline: NIODeadline) async {
    let (targets, names, backlogs) = state.withLock { state in
      state.isEnded = true
      return (Array(state.targets.values), state.names, state.backlogs)
    }
    for name in names { name.stop() }
    for (name, backlog) in backlogs where !backlog.queue.isEmpty {
      log.warning(
        "alerts were not delivered: the name of their Alertmanagers never resolved",
        metadata: ["alertmanager": "\(name)", "alerts": "\(backlog.queue.count)"])
    }
    await withTaskGroup { group in
      for target in targets { group.addTask { await target.drain(until: deadline) } }
    }
  }

  /// The URLs that alerts go to, sorted. None is ever left out on purpose.
  public var alertmanagerURLs: [String] {
    state.withLock { state in state.targets.values.map(\.client.url) }.sorted()
  }

  /// Whether alerts reach each Alertmanager, and each name of Alertmanagers that does not resolve; sorted by address.
  public var deliveries: [DeliveryState] {
    let (targets, names, backlogs) = state.withLock { state in
      (Array(state.targets.values), state.names.filter { state.discovered[$0.key] == nil }, state.backlogs)
    }
    let unresolved = names.map { name in
      DeliveryState(
        alertmanager: name.key,
        trouble: name.unresolvedSince.map {
          DeliveryState.Trouble(
            since: $0, errorClass: DiscoveredName.unresolvedClass, message: "the name does not resolve",
            isRefusal: false)
        },
        lastSuccess: nil, waitingCount: backlogs[name.key]?.queue.count ?? 0)
    }
    return (targets.map(\.state) + unresolved).sorted { $0.alertmanager < $1.alertmanager }
  }

  /// What each Alertmanager makes of its alerts, as of a few seconds ago at most; sorted by address.
  public func views() async -> [AlertmanagerView] {
    await asked.all(state.withLock { $0.targets.values.map(\.client) })
  }

  /// The metrics of delivery as they are now; their families are ``DeliveryFamilies/all``.
  public func samples() -> Samples {
    let state = state.withLock { $0 }
    guard let config = state.config else { return .none }
    var sink = SampleSink()
    for (url, target) in state.targets.sorted(by: { $0.key < $1.key }) {
      DeliveryFamilies.collect(target.tracker.figures, of: url, into: &sink)
    }
    sink.add(DeliveryFamilies.relabelDropped, Double(state.relabelDroppedCount))
    sink.add(DeliveryFamilies.queueCapacity, Double(config.queueCapacity))
    sink.add(DeliveryFamilies.discovered, Double(state.targets.count))
    return sink.finish()
  }

  // MARK: Targets

  /// Starts and stops names and targets, so that they are those of the configuration.
  private func settle() {
    let stopped = state.withLock { state -> [DiscoveredName] in
      let wanted = state.config?.alertmanagers.filter(\.isDiscovered) ?? []
      let gone = state.names.filter { !wanted.contains($0.config) }
      let fresh = wanted.filter { config in !state.names.contains { $0.config == config } }
      state.names = state.names.filter { wanted.contains($0.config) } + fresh.map { DiscoveredName($0) }
      let keys = Set(state.names.map(\.key))
      state.discovered = state.discovered.filter { keys.contains($0.key) }
      var backlogs: [String: Backlog] = [:]
      for key in keys where state.discovered[key] == nil {
        backlogs[key] =
          state.backlogs[key]
          ?? Backlog(
            queue: DeliveryQueue(capacity: state.queueCapacity),
            log: state.earlier.removeValue(forKey: key) ?? NotificationLog())
      }
      state.backlogs = backlogs
      return gone
    }
    for name in stopped { name.stop() }
    settleTargets()
    for name in state.withLock({ $0.names }) {
      name.start(context.names) { [weak self] addresses in self?.found(addresses, of: name) }
    }
  }

  /// What a name resolves to; an empty answer changes nothing.
  private func found(_ addresses: Set<String>, of name: DiscoveredName) {
    guard !addresses.isEmpty else { return recordBacklog(of: name) }
    let backlog = state.withLock { state -> DeliveryQueue? in
      guard state.names.contains(where: { $0 === name }), state.discovered[name.key] != addresses else { return nil }
      state.discovered[name.key] = addresses
      return state.backlogs.removeValue(forKey: name.key)?.queue ?? DeliveryQueue(capacity: state.queueCapacity)
    }
    if let backlog { settleTargets(backlog: backlog, for: name) }
  }

  /// Writes down what cannot be delivered since a name does not resolve.
  private func recordBacklog(of name: DiscoveredName) {
    let now = WallTime.now.epochMs
    let untold = state.withLock { state -> [OutgoingNotification] in
      let waiting = state.backlogs[name.key]?.queue.waiting ?? []
      return state.backlogs[name.key]?.log.undelivered(waiting, atMilliseconds: now) ?? []
    }
    guard !untold.isEmpty else { return }
    record(
      untold.map {
        StoredNotification($0, to: name.key, atMilliseconds: now, undelivered: DiscoveredName.unresolvedClass)
      })
  }

  private func settleTargets(backlog: DeliveryQueue? = nil, for name: DiscoveredName? = nil) {
    let (targets, old) = state.withLock { state -> ([String: AlertmanagerTarget], [String: AlertmanagerTarget]) in
      guard !state.isEnded else { return ([:], [:]) }
      let old = state.targets
      state.targets = [:]
      guard let alerting = state.config else { return ([:], old) }
      for config in alerting.alertmanagers {
        let literals: [String?] =
          config.isDiscovered ? (state.discovered[config.address.description] ?? []).sorted() : [nil]
        for literal in literals {
          let client = AlertmanagerClient(config, literal: literal, environment: environment, in: context)
          let url = client.address.description
          guard state.targets[url] == nil else { continue }
          state.targets[url] = target(
            client, old: old[url], config: alerting, earlier: state.earlier.removeValue(forKey: url))
          if let backlog, config == name?.config, old[url] == nil {
            state.targets[url]?.tracker.withFigures { $0.queue.add(contentsOf: backlog) }
          }
        }
      }
      return (state.targets, old)
    }
    for (url, target) in old where targets[url] !== target { target.stop(successor: targets[url]) }
    for target in targets.values { target.start() }
  }

  /// The target that is there already when nothing about it changed, else another with what waited for it.
  private func target(
    _ client: AlertmanagerClient, old: AlertmanagerTarget?, config: AlertingConfig, earlier: NotificationLog?
  ) -> AlertmanagerTarget {
    let resendSeconds = config.resendDelay.seconds
    old?.tracker.setCapacity(config.queueCapacity)
    if let old, old.client.config == client.config, old.resendSeconds == resendSeconds { return old }
    let tracker =
      old?.tracker ?? DeliveryTracker(capacity: config.queueCapacity, log: earlier ?? NotificationLog())
    return AlertmanagerTarget(
      client, tracker: tracker, resendSeconds: resendSeconds, log: log, record: record)
  }
}

/// A name whose every address is an Alertmanager; it is looked up again and again.
final class DiscoveredName: Sendable {
  /// The class of the error.
  static let unresolvedClass = "dns"
  /// How often a name is looked up that has not resolved yet, in seconds.
  private static let retrySeconds = 5
  /// How often one is that has; an answer is kept by the resolver for a moment less.
  private static let refreshSeconds = Int(clamping: NameResolver.lifetimeSeconds) + 1

  let config: AlertmanagerConfig
  private let task = Lock(Task<Void, Never>?.none)
  private let firstFailure = Lock(WallTime?.none)

  /// Since when looking it up has failed each time; nil where it has not been looked up, or resolved last.
  var unresolvedSince: WallTime? { firstFailure.withLock { $0 } }

  init(_ config: AlertmanagerConfig) { self.config = config }

  /// The address as it is configured.
  var key: String { config.address.description }

  /// Looks up at once and then for ever; only the first call counts.
  func start(_ names: NameResolver, found: @escaping @Sendable (Set<String>) -> Void) {
    task.withLock { task in
      guard task == nil else { return }
      let host = config.address.host
      task = Task { [firstFailure] in
        while !Task.isCancelled {
          let addresses = Set(await names.addresses(of: host))
          if Task.isCancelled { return }
          firstFailure.withLock { $0 = addresses.isEmpty ? $0 ?? .now : nil }
          found(addresses)
          try? await Task.sleep(for: .seconds(addresses.isEmpty ? Self.retrySeconds : Self.refreshSeconds))
        }
      }
    }
  }

  func stop() { task.withLock { $0 }?.cancel() }
}
