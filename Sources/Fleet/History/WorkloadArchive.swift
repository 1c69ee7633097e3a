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
  }
  let workload: String
  private let store: Store?
  private let state = Lock(State())

  init(workload: String, store: Store?) {
    self.workload = workload
    self.store = store
  }

  private func key(_ kind: FailoverRecord.Kind) -> CounterKey {
    CounterKey("failovers_total", ["workload": workload, "kind": kind.rawValue])
  }

  private var failoverFact: String { "workload/\(workload)/failover" }
  private var clusterFact: String { "workload/\(workload)/cluster/" }

  // MARK: Failovers by Sentinels

  /// Where counting goes on from; all counters exist from here on.
  func failovers() -> FailoverTracker.State {
    if let known = state.withLock({ $0.failovers }) { return known }
    var state = FailoverTracker.State(text: store?.facts[failoverFact]?.value ?? "")
    for kind in FailoverRecord.Kind.allCases {
      store?.counters.declare(key(kind))
      state.counts[kind] = Int(exactly: store?.counters[key(kind)]?.value ?? 0) ?? 0
    }
    return state
  }

  /// Keeps the state, and counts the failovers that led to it, in one transaction.
  func keep(_ new: FailoverTracker.State, counting counted: [(record: FailoverRecord, event: Event)], atSeconds now: Double) {
    state.withLock { $0.failovers = new }
    store?.change { ledger in
      for (record, event) in counted { ledger.append(event, counting: [key(record.kind)]) }
      ledger.setFact(failoverFact, to: new.text, atSeconds: now)
    }
  }

  // MARK: Failovers of a cluster

  func clusterFailovers() -> ClusterFailoverTracker.State {
    if let known = state.withLock({ $0.cluster }) { return known }
    var state = ClusterFailoverTracker.State()
    for kind in [FailoverRecord.Kind.automatic, .manual, .missed] {
      store?.counters.declare(key(kind))
      state.counts[kind] = Int(exactly: store?.counters[key(kind)]?.value ?? 0) ?? 0
    }
    state.lastFailoverSeconds = store?.facts[clusterFact + "last"].flatMap { Double($0.value) }
    let facts = store?.change { $0.facts } ?? [:]
    state.nodes = facts.keys.filter { $0.hasPrefix(clusterFact + "node/") }.sorted().compactMap { key in
      ClusterFailoverTracker.Node(text: facts[key]?.value ?? "")
    }
    return state
  }

  func keep(
    _ new: ClusterFailoverTracker.State, counting counted: [(kind: FailoverRecord.Kind, event: Event)],
    atSeconds now: Double
  ) {
    let old = state.withLock { state in
      defer { state.cluster = new }
      return state.cluster
    }
    guard old != new else { return }
    store?.change { ledger in
      for (kind, event) in counted { ledger.append(event, counting: [key(kind)]) }
      ledger.setFact(clusterFact + "last", to: new.lastFailoverSeconds.map { "\($0)" }, atSeconds: now)
      let ids = Set(new.nodes.map(\.id))
      let known = old?.nodes.map(\.id) ?? ledger.facts.keys.filter { $0.hasPrefix(clusterFact + "node/") }.map {
        String($0.dropFirst((clusterFact + "node/").count))
      }
      for id in known where !ids.contains(id) { ledger.setFact(clusterFact + "node/\(id)", to: nil, atSeconds: now) }
      for node in new.nodes { ledger.setFact(clusterFact + "node/\(node.id)", to: node.text, atSeconds: now) }
    }
  }

  // MARK: Members

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

  func append(_ events: [Event]) {
    guard !events.isEmpty else { return }
    store?.change { ledger in for event in events { ledger.append(event) } }
  }
}
