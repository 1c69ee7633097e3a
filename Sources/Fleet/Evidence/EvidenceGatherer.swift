import Logging
import Metrics
import Redis
import Runtime
import Storage

/// Gathers evidence about alerts as they begin: who asks for it waits for nothing, and no poll waits for it.
public actor EvidenceGatherer {
  private nonisolated let tracker = Lock(EvidenceTracker())
  private nonisolated let state = Lock(State())
  private let connections: ConnectionContext
  private let store: Store?
  private let log: Logger
  private let clock: @Sendable () -> WallTime
  private let context: @Sendable (_ workload: String) async -> EvidenceContext?
  private let sources: @Sendable (_ alert: String) async -> Set<String>
  private let patienceSeconds: Double
  /// Without a store: the newest, the oldest first.
  private var recent: [Evidence] = []
  private let turns = Turns(EvidenceGatherer.parallelLimit)

  private struct State: Sendable {
    var isEnabled = true
    /// Wakes the loop.
    var wake: (@Sendable () -> Void)?
    var outcomes: [String: Int] = [:]
  }

  /// Servers that are asked at once.
  static let parallelLimit = 4
  /// How long a server that does not answer is asked again, and how often.
  private static let patienceSeconds = 30.0
  static let retrySeconds = 2.0
  /// Evidence that is kept where there is no store.
  public static let memoryLimit = 50
  /// Before an alert, what a server has on record may belong to it.
  private static let reachSeconds = 900.0
  /// What changed so long before an alert is worth a look.
  private static let changeSeconds = 86_400.0
  /// The longest the loop sleeps: the clock may be set.
  private static let lookSeconds = 5.0

  /// - Parameters:
  ///   - store: nil keeps evidence in memory alone.
  ///   - context: how a workload stands; nil where there is none of the name.
  ///   - sources: what the runbook of an alert asks for.
  public init(
    fleet: Fleet, connections: ConnectionContext, store: Store?, log: Logger,
    sources: @escaping @Sendable (_ alert: String) async -> Set<String>
  ) {
    self.init(
      connections: connections, store: store, log: log, clock: { .now },
      context: { await fleet.evidenceContext(of: $0) }, sources: sources)
  }

  init(
    connections: ConnectionContext, store: Store?, log: Logger, clock: @escaping @Sendable () -> WallTime,
    context: @escaping @Sendable (_ workload: String) async -> EvidenceContext?,
    sources: @escaping @Sendable (_ alert: String) async -> Set<String>,
    patienceSeconds: Double = EvidenceGatherer.patienceSeconds
  ) {
    self.connections = connections
    self.store = store
    self.log = log
    self.clock = clock
    self.context = context
    self.sources = sources
    self.patienceSeconds = patienceSeconds
  }

  /// One look at a workload as it is now, for who asks without a daemon.
  ///
  /// - Returns: nil where there is no such workload.
  public static func look(
    _ alert: EvidenceAlert, at fleet: Fleet, connections: ConnectionContext, sources: Set<String>, log: Logger
  ) async -> Evidence? {
    let gatherer = EvidenceGatherer(
      connections: connections, store: nil, log: log, clock: { .now },
      context: { await fleet.evidenceContext(of: $0) }, sources: { _ in sources }, patienceSeconds: 0)
    let now = WallTime.now
    _ = gatherer.tracker.withLock { $0.note(alert, pendingAt: now, firedAt: now, now: now) }
    for order in gatherer.tracker.withLock({ $0.takeDue(at: now) }) { await gatherer.gather(order) }
    return gatherer.tracker.withLock(\.current).first { !$0.looks.isEmpty }
  }

  // MARK: What others tell it

  /// Off gathers nothing more; what there is stays.
  public nonisolated func enable(_ isEnabled: Bool) { state.withLock { $0.isEnabled = isEnabled } }

  /// Takes note that an alert waits or fires. Never waits.
  ///
  /// - Parameter fired: nil where it waits.
  public nonisolated func note(_ alert: EvidenceAlert, pendingAt at: WallTime, firedAt fired: WallTime?) {
    guard state.withLock({ $0.isEnabled }) else { return }
    let now = clock()
    let changed = tracker.withLock { $0.note(alert, pendingAt: at, firedAt: fired, now: now) }
    if let changed { Task { await put(changed) } }
    state.withLock { $0.wake }?()
  }

  /// Takes note that an alert is over, or did not begin to fire in the end.
  public nonisolated func end(_ alert: EvidenceAlert) {
    let now = clock()
    tracker.withLock { $0.end(alert, at: now) }
  }

  /// The evidence of an alert that waits or fires; nil where there is none.
  public nonisolated func id(of alert: EvidenceAlert) -> String? { tracker.withLock { $0.id(of: alert) } }

  /// How often it was gathered, by outcome.
  public nonisolated func samples() -> Samples {
    let (outcomes, omitted) = (state.withLock { $0.outcomes }, tracker.withLock { $0.omittedCount })
    var sink = SampleSink()
    for outcome in EvidenceFamilies.outcomes {
      let count = outcome == "omitted" ? omitted : outcomes[outcome] ?? 0
      sink.add(EvidenceFamilies.total, Double(count), .text(outcome))
    }
    return sink.finish()
  }

  // MARK: What it knows

  /// The newest first.
  ///
  /// - Parameter query: with bodies, looks have their details.
  public func newest(_ query: EvidenceQuery) async -> [Evidence] {
    if let store { return await store.evidence.newest(query).map { Evidence($0) } }
    return recent.reversed().filter { evidence in
      (query.id == nil || query.id == evidence.id) && (query.workload == nil || query.workload == evidence.workload)
        && (query.node == nil || query.node == evidence.node)
        && (query.alert.map { evidence.alerts.contains($0) } ?? true)
        && (query.sinceMs.map { evidence.atMs >= $0 } ?? true) && (query.untilMs.map { evidence.atMs <= $0 } ?? true)
    }.prefix(max(1, query.limit)).map { $0 }
  }

  // MARK: At work

  /// Gathers what is due, until the task is cancelled.
  public func run() async {
    await restore()
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { $0.wake = { wake.yield() } }
    defer { state.withLock { $0.wake = nil } }
    await withDiscardingTaskGroup { group in
      group.addTask { [clock, tracker] in
        // Sleeping and being woken are one stream.
        while !Task.isCancelled {
          let next = tracker.withLock { $0.next(after: clock()) }.map { $0 - clock() } ?? Self.lookSeconds
          try? await Task.sleep(for: .seconds(min(max(next, 0.05), Self.lookSeconds)))
          wake.yield()
        }
        wake.finish()
      }
      for await _ in wakes {
        if Task.isCancelled { break }
        let now = clock()
        for order in tracker.withLock({ $0.takeDue(at: now) }) { group.addTask { await self.gather(order) } }
      }
      group.cancelAll()
    }
  }

  private func restore() async {
    guard let store else { return }
    var query = EvidenceQuery(limit: 200)
    query.hasBodies = true
    query.sinceMs = (clock() - EvidenceTracker.laterSeconds - Self.reachSeconds).epochMs
    let kept = await store.evidence.newest(query).map { Evidence($0) }
    let now = clock()
    tracker.withLock { $0.restore(kept, at: now) }
  }

  /// Takes one look: what answers is kept at once, who does not answer is asked again for a while.
  func gather(_ order: EvidenceTracker.Order) async {
    defer { tracker.withLock { $0.finish(order.id) } }
    guard let around = await context(order.workload) else { return count("failed") }
    var names: Set<String> = []
    for alert in order.alerts { names.formUnion(await sources(alert)) }
    let wanted = EvidenceCatalogue.all.filter { names.contains($0.name) }
    let earlier = tracker.withLock { $0.earlier(order.id) }
    let began = clock()
    let targets = around.targets(order.instances, wantsSentinel: names.contains("sentinel"))
    func looks(_ targets: [EvidenceCandidate], _ around: EvidenceContext) -> [NodeLook] {
      targets.map { target in
        let before = earlier[target.instance]
        return NodeLook(
          candidate: target, sources: wanted, masterName: around.masterName, past: around.past[target.instance],
          earlier: before, since: before?.wall ?? order.at - Self.reachSeconds)
      }
    }
    var results = await take(looks(targets, around))
    await keep(results, order, around, at: began)
    while results.contains(where: { $0.facts.silence != nil }), clock() - began < patienceSeconds,
      !Task.isCancelled
    {
      try? await Task.sleep(for: .seconds(Self.retrySeconds))
      guard !Task.isCancelled, let now = await context(order.workload) else { break }
      // Whom they knew may be another by now: its breaker is asked.
      let silent = Set(results.filter { $0.facts.silence != nil }.map(\.facts.instance))
      let again = await take(looks(now.candidates.filter { silent.contains($0.instance) }, now))
      let answered = again.filter { $0.facts.silence == nil }
      guard !answered.isEmpty else { continue }
      for result in answered {
        if let place = results.firstIndex(where: { $0.facts.instance == result.facts.instance }) {
          results[place] = result
        }
      }
      await keep(results, order, now, at: began)
    }
    let silentCount = results.count { $0.facts.silence != nil }
    count(silentCount == 0 && !results.isEmpty ? "complete" : silentCount < results.count ? "partial" : "failed")
  }

  /// Asks all at once, as far as there are turns.
  private func take(_ looks: [NodeLook]) async -> [NodeLook.Result] {
    await withTaskGroup(of: (Int, NodeLook.Result).self) { group in
      for (place, look) in looks.enumerated() { group.addTask { (place, await self.take(look)) } }
      var found: [(Int, NodeLook.Result)] = []
      for await one in group { found.append(one) }
      return found.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func take(_ look: NodeLook) async -> NodeLook.Result {
    await turns.take()
    defer { turns.pass() }
    return await look.take(in: connections, clock: clock)
  }

  private func count(_ outcome: String) { state.withLock { $0.outcomes[outcome, default: 0] += 1 } }

  private func keep(
    _ results: [NodeLook.Result], _ order: EvidenceTracker.Order, _ around: EvidenceContext, at began: WallTime
  ) async {
    var query = EventQuery(workload: order.workload, limit: 50)
    query.since = order.at - Self.reachSeconds
    let events = await store?.events.newest(query) ?? []
    let changes = await changes(of: order.workload, before: order.at)
    let scene = CulpritScene(at: order.at, now: clock(), nodes: results.map(\.facts), events: events)
    let look = Evidence.Look(
      moment: order.moment, atMs: began.epochMs, nodes: results.map(\.node),
      sections: Self.sections(around.findings, events, changes, at: order.at))
    let culprits = scene.culprits()
    guard let evidence = tracker.withLock({ $0.take(look, results.map(\.facts), culprits, of: order.id) }) else {
      return
    }
    put(evidence)
    if let first = culprits.first {
      log.info(
        "evidence",
        metadata: ["workload": "\(order.workload)", "alert": "\(order.alerts[0])", "culprit": "\(first.text)"])
    }
  }

  /// What was marked, and which settings changed, in the day before: the newest first.
  private func changes(of workload: String, before at: WallTime) async -> [Event] {
    var found: [Event] = []
    for kind in [EventKind.mark, .configChange] {
      var query = EventQuery(workload: workload, kind: kind, limit: 20)
      (query.since, query.until) = (at - Self.changeSeconds, at)
      found += await store?.events.newest(query) ?? []
    }
    return found.sorted { $1.at < $0.at }
  }

  private func put(_ evidence: Evidence) {
    // Of two that are on their way, the one with more is the newer.
    let evidence = tracker.withLock { $0.newest(evidence) }
    if let store { return store.evidence.put(evidence.stored) }
    recent.removeAll { $0.id == evidence.id }
    recent.append(evidence)
    recent.removeFirst(max(0, recent.count - Self.memoryLimit))
  }

  /// What redline itself knows.
  private static func sections(_ findings: [Finding], _ events: [Event], _ changes: [Event], at: WallTime)
    -> [Evidence.Section]
  {
    var sections: [Evidence.Section] = []
    let told = findings.filter { $0.severity >= .warning }
    if !told.isEmpty {
      sections.append(
        Evidence.Section(
          source: "findings", title: "What redline finds",
          lines: told.prefix(20).map { "\($0.severity.name): \(oneLine($0.text))" }))
    }
    let happened = events.filter { $0.kind != .alertFired && $0.kind != .alertResolved }
    if !happened.isEmpty {
      sections.append(
        Evidence.Section(
          source: "events", title: "What happened in the 15 minutes before",
          table: Evidence.Table(
            ["time", "server", "what"],
            happened.map { [EvidenceText.clock($0.at), $0.node, oneLine($0.summary)] })))
    }
    if !changes.isEmpty {
      sections.append(
        Evidence.Section(
          source: "changes", title: "What changed in the 24 hours before",
          table: Evidence.Table(
            ["time", "when", "server", "what"],
            changes.map {
              [EvidenceText.clock($0.at), EvidenceText.distance($0.at, from: at), $0.node, oneLine($0.summary)]
            })))
    }
    return sections
  }
}
