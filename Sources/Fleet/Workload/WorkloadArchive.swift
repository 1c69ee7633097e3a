import Redis
import Runtime
import Storage

/// What must outlive a workload's watching: failover counts, what was last known of its topology, and events.
///
/// It is kept in memory over reloads, and in the store over restarts where there is one.
final class WorkloadArchive: Sendable {
  private struct State {
    var failovers: FailoverTracker.State?
    var cluster: ClusterFailoverTracker.State?
    var replication: ReplicationFailoverTracker.State?
    var members: [NodeAddress: MemberRecord]?
  }
  let workload: String
  private let store: Store?
  private let state = Lock(State())
  /// Events in quick succession, which grow with the members; more come back slowly: the file is there for all workloads.
  private let events = Lock(Allowance(eventBurst, perSecond: eventsPerMinute / 60))
  static let eventBurst = 500.0
  static let eventsPerMember = 4.0
  static let eventsPerMinute = 2.0

  init(workload: String, store: Store?) {
    self.workload = workload
    self.store = store
  }

  private func key(_ kind: FailoverRecord.Kind) -> CounterKey {
    CounterKey("failovers_total", ["workload": workload, "kind": kind.rawValue])
  }

  /// What was counted so far; the counters exist from here on.
  private func counts(_ kinds: [FailoverRecord.Kind]) -> [FailoverRecord.Kind: Int] {
    for kind in kinds { store?.counters.declare(key(kind)) }
    return Dictionary(
      uniqueKeysWithValues: kinds.map { ($0, Int(exactly: store?.counters[key($0)]?.value ?? 0) ?? 0) })
  }

  private var failoverFact: String { "workload/\(workload)/failover" }
  private var clusterFact: String { "workload/\(workload)/cluster/" }

  // MARK: Failovers by Sentinels

  /// Where counting goes on from.
  func failovers() -> FailoverTracker.State {
    if let known = state.withLock({ $0.failovers }) { return known }
    var state = FailoverTracker.State(text: store?.facts[failoverFact]?.value ?? "")
    state.counts = counts(FailoverRecord.Kind.allCases)
    return state
  }

  /// Keeps the state, and counts the failovers that led to it, in one transaction.
  func keep(_ new: FailoverTracker.State, counting counted: [FailoverStory], atSeconds now: Double) {
    state.withLock { $0.failovers = new }
    store?.change { ledger in
      for story in counted { ledger.append(story.event, counting: [key(story.kind)]) }
      ledger.setFact(failoverFact, to: new.text, atSeconds: now)
    }
  }

  // MARK: Failovers of a cluster

  func clusterFailovers() -> ClusterFailoverTracker.State {
    if let known = state.withLock({ $0.cluster }) { return known }
    var state = ClusterFailoverTracker.State()
    state.counts = counts([.automatic, .manual, .missed])
    state.lastFailoverSeconds = store?.facts[clusterFact + "last"].flatMap { Double($0.value) }
    let facts = store?.change { $0.facts } ?? [:]
    state.nodes = facts.keys.filter { $0.hasPrefix(clusterFact + "node/") }.sorted().compactMap { key in
      ClusterFailoverTracker.Node(text: facts[key]?.value ?? "")
    }
    return state
  }

  func keep(
    _ new: ClusterFailoverTracker.State, counting counted: [FailoverStory], atSeconds now: Double
  ) {
    let old = state.withLock { state in
      defer { state.cluster = new }
      return state.cluster
    }
    guard old != new else { return }
    store?.change { ledger in
      for story in counted { ledger.append(story.event, counting: [key(story.kind)]) }
      ledger.setFact(clusterFact + "last", to: new.lastFailoverSeconds.map { "\($0)" }, atSeconds: now)
      let ids = Set(new.nodes.map(\.id))
      let known =
        old?.nodes.map(\.id)
        ?? ledger.facts.keys.filter { $0.hasPrefix(clusterFact + "node/") }.map {
          String($0.dropFirst((clusterFact + "node/").count))
        }
      for id in known where !ids.contains(id) { ledger.setFact(clusterFact + "node/\(id)", to: nil, atSeconds: now) }
      for node in new.nodes { ledger.setFact(clusterFact + "node/\(node.id)", to: node.text, atSeconds: now) }
    }
  }

  // MARK: Failovers of servers that only replicate

  private var replicationFact: String { "workload/\(workload)/replication" }

  func replicationFailovers() -> ReplicationFailoverTracker.State {
    if let known = state.withLock({ $0.replication }) { return known }
    var state = ReplicationFailoverTracker.State(text: store?.facts[replicationFact]?.value ?? "")
    state.counts = counts([.automatic, .manual, .missed])
    return state
  }

  func keep(
    _ new: ReplicationFailoverTracker.State, counting counted: [FailoverStory], atSeconds now: Double
  ) {
    state.withLock { $0.replication = new }
    store?.change { ledger in
      for story in counted { ledger.append(story.event, counting: [key(story.kind)]) }
      ledger.setFact(replicationFact, to: new.text, atSeconds: now)
    }
  }

  /// Tells the rest of a failover that was counted.
  func revise(_ story: FailoverStory) {
    let event = story.event
    store?.change { $0.revise(event) }
  }

  // MARK: Members

  private var memberFact: String { "workload/\(workload)/member/" }

  /// What was remembered of each member when the daemon last watched.
  func memberRecords() -> [NodeAddress: MemberRecord] {
    if let known = state.withLock({ $0.members }) { return known }
    let facts = store?.change { $0.facts } ?? [:]
    let pairs = facts.compactMap { key, fact -> (NodeAddress, MemberRecord)? in
      guard key.hasPrefix(memberFact), let address = NodeAddress(storedText: String(key.dropFirst(memberFact.count))),
        let record = MemberRecord(text: fact.value)
      else { return nil }
      return (address, record)
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// Keeps what changed of the members, nil for those that are gone, with the events about it.
  func keep(
    _ changes: [NodeAddress: MemberRecord?], of all: [NodeAddress: MemberRecord], _ events: [Event],
    atSeconds now: Double
  ) {
    guard !changes.isEmpty || !events.isEmpty else { return }
    state.withLock { $0.members = all }
    let events = within(events, memberCount: all.count)
    store?.change { ledger in
      for event in events { ledger.append(event) }
      for (address, record) in changes {
        ledger.setFact(memberFact + address.storedText, to: record?.text, atSeconds: now)
      }
    }
  }

  private func addressFact(_ role: String) -> String { "workload/\(workload)/\(role)" }

  /// The addresses that a role (`members`, `sentinels`) had when they were last made out: further places to start from
  /// when the seeds are gone.
  func addresses(_ role: String) -> [NodeAddress] {
    let text = store?.facts[addressFact(role)]?.value ?? ""
    return text.split(separator: "\n").compactMap { NodeAddress(storedText: String($0)) }
  }

  func keep(_ addresses: [NodeAddress], as role: String, atSeconds now: Double) {
    // A few will do, and a fact's size is bounded.
    let text = addresses.sorted().prefix(32).map(\.storedText).joined(separator: "\n")
    store?.facts.set(addressFact(role), to: text, at: now)
  }

  // MARK: Reading

  /// The failovers counted so far. The store knows best: its file may have turned up after the start.
  func count(_ kind: FailoverRecord.Kind, inMemory count: Int) -> Double {
    store?.counters[key(kind)]?.value ?? Double(count)
  }

  /// The newest failover that is kept.
  func newestFailover() async -> Event? {
    await store?.events.newest(EventQuery(workload: workload, kind: .failover, limit: 1)).first
  }

  /// Events that were not kept because there were too many.
  var omittedEventCount: Int { events.withLock(\.refusedCount) }

  private func within(_ all: [Event], memberCount: Int = 0) -> [Event] {
    events.withLock { events in
      events.widen(to: Self.eventBurst + Self.eventsPerMember * Double(memberCount))
      return all.filter { _ in events.take(atSeconds: monotonicSeconds()) }
    }
  }

  func append(_ all: [Event]) {
    let events = within(all)
    guard !events.isEmpty else { return }
    store?.change { ledger in for event in events { ledger.append(event) } }
  }
}
