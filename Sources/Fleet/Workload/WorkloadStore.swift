import Redis
import Runtime
import Storage

/// What must outlive a workload's watching: failover counts, what was last known of its topology, and events.
///
/// It is kept in memory over reloads, and in the file over restarts where there is one.
final class WorkloadStore: Sendable {
  private struct State {
    var failovers: (any FailoverState)?
    var members: [NodeAddress: MemberRecord]?
    var audit: [String: AuditTracker.Record]?
    /// The events of failovers, oldest first, for where there is no file.
    var told: [Event] = []
  }
  let workload: String
  let budgets: WorkloadBudgetStore
  private let file: Store?
  private let state = Lock(State())
  /// Events in quick succession, which grow with the members; more come back slowly: the file is there for all workloads.
  private let events = Lock(Allowance<Monotonic>(eventBurst, perSecond: eventsPerMinute / 60))
  static let eventBurst = 500.0
  static let eventsPerMember = 4.0
  static let eventsPerMinute = 2.0
  /// Failovers and aborted attempts that are remembered without a file.
  private static let toldLimit = 32

  /// - Parameters:
  ///   - file: nil where nothing is kept over restarts.
  ///   - changes: the maintenance windows that marks opened.
  init(workload: String, file: Store?, changes: ChangeWindows = ChangeWindows()) {
    self.workload = workload
    self.file = file
    budgets = WorkloadBudgetStore(workload: workload, file: file, changes: changes)
  }

  private var prefix: String { "workload/\(workload)/" }

  /// The facts of the workload, by their names without its own.
  private var facts: [String: String] {
    let all = file?.change { $0.facts } ?? [:]
    let own = all.filter { $0.key.hasPrefix(prefix) }
    return Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value.value) })
  }

  // MARK: Failovers

  private func key(_ kind: Failover.Kind) -> CounterKey {
    CounterKey("failovers_total", ["workload": workload, "kind": kind.rawValue])
  }

  /// Where counting goes on from.
  var failovers: KeptFailovers {
    var kept = KeptFailovers()
    kept.inMemory = state.withLock(\.failovers)
    kept.facts = facts
    for kind in Failover.Kind.allCases {
      kept.counts[kind] = file?.counters[key(kind)].flatMap { Int(exactly: $0.value) }
    }
    return kept
  }

  /// The counters of a topology exist from here on, and what changes of its state is kept.
  func begin<State: FailoverState>(_ failovers: State) {
    for kind in State.kinds { file?.counters.declare(key(kind)) }
    state.withLock { $0.failovers = $0.failovers ?? failovers }
  }

  /// Keeps the state, and counts the failovers that led to it, in one transaction.
  func keep<State: FailoverState>(
    _ new: State, counting counted: [(kind: Failover.Kind, event: Event)], at wall: WallTime
  ) {
    let old = state.withLock { $0.failovers as? State }
    guard old != new || !counted.isEmpty else { return }
    state.withLock { state in
      state.failovers = new
      if file == nil { state.told = (state.told + counted.map(\.event)).suffix(Self.toldLimit) }
    }
    guard let file else { return }
    let facts = new.facts
    let gone = Set(old?.facts.keys.filter { facts[$0] == nil } ?? [])
    file.change { ledger in
      for (kind, event) in counted { ledger.append(event, counting: [key(kind)]) }
      for (name, value) in facts { ledger.setFact(prefix + name, to: value, at: wall) }
      for name in gone { ledger.setFact(prefix + name, to: nil, at: wall) }
    }
  }

  /// Keeps what is known by now of events that are there already.
  func revise(_ events: [Event]) {
    guard !events.isEmpty else { return }
    guard let file else {
      return state.withLock { state in
        for event in events {
          for index in state.told.indices where state.told[index].key == event.key { state.told[index] = event }
        }
      }
    }
    file.change { ledger in for event in events { ledger.revise(event) } }
  }

  // MARK: Members

  private static let memberFact = "member/"

  /// What was remembered of each member when the daemon last watched.
  func memberRecords() -> [NodeAddress: MemberRecord] {
    if let known = state.withLock({ $0.members }) { return known }
    let pairs = facts.compactMap { name, text -> (NodeAddress, MemberRecord)? in
      guard name.hasPrefix(Self.memberFact),
        let address = NodeAddress(storedText: String(name.dropFirst(Self.memberFact.count))),
        let record = MemberRecord(text: text)
      else { return nil }
      return (address, record)
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// Keeps what changed of the members, nil for those that are gone, with the events about it.
  func keep(
    _ changes: [NodeAddress: MemberRecord?], of all: [NodeAddress: MemberRecord], _ events: [Event],
    at wall: WallTime
  ) {
    guard !changes.isEmpty || !events.isEmpty else { return }
    state.withLock { $0.members = all }
    let events = within(events, memberCount: all.count)
    file?.change { ledger in
      for event in events { ledger.append(event) }
      for (address, record) in changes {
        ledger.setFact(prefix + Self.memberFact + address.storedText, to: record?.text, at: wall)
      }
    }
  }

  /// Whose addresses are kept: further places to start from when the seeds are gone. Raw values are names of facts.
  enum Role: String, Sendable { case members, sentinels }

  /// Those that a role had when they were last made out.
  func addresses(_ role: Role) -> [NodeAddress] {
    let text = file?.facts[prefix + role.rawValue]?.value ?? ""
    return text.split(separator: "\n").compactMap { NodeAddress(storedText: String($0)) }
  }

  func keep(_ addresses: [NodeAddress], as role: Role, at wall: WallTime) {
    let text = addresses.map(\.storedText).joined(separator: "\n")
    file?.facts.set(prefix + role.rawValue, to: text.isEmpty ? nil : text, at: wall)
  }

  // MARK: Audit

  private static let auditFact = "audit/"

  /// What is remembered of the security of each server, by instance.
  func auditRecords() -> [String: AuditTracker.Record] {
    if let known = state.withLock({ $0.audit }) { return known }
    let pairs = facts.compactMap { name, text -> (String, AuditTracker.Record)? in
      guard name.hasPrefix(Self.auditFact), let record = AuditTracker.Record(text) else { return nil }
      return (String(name.dropFirst(Self.auditFact.count)), record)
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  func keep(_ records: [String: AuditTracker.Record], at wall: WallTime) {
    let before = auditRecords()
    state.withLock { $0.audit = records }
    let changed = Set(records.keys).union(before.keys).filter { records[$0] != before[$0] }
    guard !changed.isEmpty else { return }
    file?.change { ledger in
      for instance in changed {
        ledger.setFact(prefix + Self.auditFact + instance, to: records[instance]?.text, at: wall)
      }
    }
  }

  // MARK: Reading

  /// The failovers counted so far. The file knows best: it may have turned up after the start.
  func count(_ kind: Failover.Kind, inMemory count: Int) -> Double {
    file?.counters[key(kind)]?.value ?? Double(count)
  }

  /// The newest failovers that are kept, as they were told.
  func newestFailovers(_ limit: Int) async -> [Event] {
    guard let file else { return state.withLock(\.told) }
    return await file.events.newest(EventQuery(workload: workload, kind: .failover, limit: limit))
  }

  /// Events that were not kept because there were too many.
  var omittedEventCount: Int { events.withLock(\.refusedCount) }

  private func within(_ all: [Event], memberCount: Int = 0) -> [Event] {
    events.withLock { events in
      events.widen(to: Self.eventBurst + Self.eventsPerMember * Double(memberCount))
      return all.filter { _ in events.take(at: .now) }
    }
  }

  func append(_ all: [Event]) {
    let events = within(all)
    guard !events.isEmpty else { return }
    file?.change { ledger in for event in events { ledger.append(event) } }
  }
}
