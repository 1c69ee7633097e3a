import Config
import Redis
import Runtime
import Storage

/// The error budgets of a workload, over reloads, and over restarts where there is a file.
final class WorkloadBudgetStore: Sendable {
  private struct State {
    var tracker = BudgetTracker()
    /// By the newest span: pages and metrics are made more often.
    var budgets: [ErrorBudget] = []
    var nextRestore = Monotonic.distantPast
  }

  private let workload: String
  private let file: BudgetRowStore?
  private let changes: ChangeWindows
  private let state = Lock(State())
  /// Between two tries to read a file that cannot be read.
  private static let restorePauseSeconds = 30.0

  /// - Parameter changes: the maintenance windows that marks opened.
  init(workload: String, file: Store?, changes: ChangeWindows) {
    self.workload = workload
    self.changes = changes
    self.file = file?.budgets
  }

  /// A workload begins to be watched, or is by another configuration.
  func begin() { state.withLock { $0.tracker.begin() } }

  /// Reads what is kept. What cannot be read now is tried again by ``note(_:probes:at:_:)``.
  func restore() async {
    guard let file, let rows = await file.load(workload: workload) else { return }
    state.withLock { $0.tracker.restore(rows) }
  }

  func note(_ look: BudgetTracker.Look, probes: BudgetTracker.Probes, at now: Monotonic, _ wall: WallTime) {
    let fileNumber = file?.fileNumber ?? 0
    var look = look
    if changes.open(workload, at: wall) != nil { look.isInMaintenance = true }
    let (rows, mustRestore) = state.withLock { [look] state in
      let hasEnded = state.tracker.note(look, probes, at: now, wall)
      guard hasEnded || state.budgets.isEmpty else { return ([StoredBudget](), false) }
      state.budgets = BudgetObjective.allCases.compactMap {
        ErrorBudget($0, look.objectives, in: state.tracker.history, at: wall)
      }
      guard file != nil else { return ([], false) }
      let mustRestore = !state.tracker.isRestored && now >= state.nextRestore
      if mustRestore { state.nextRestore = now + Self.restorePauseSeconds }
      return (state.tracker.takeChanges(workload: workload, fileNumber: fileNumber, at: wall), mustRestore)
    }
    file?.put(rows)
    if mustRestore { Task { await restore() } }
  }

  /// Has everything written: the workload is watched no more.
  func save(at wall: WallTime) {
    guard let file else { return }
    let fileNumber = file.fileNumber
    file.put(
      state.withLock { $0.tracker.takeChanges(workload: workload, fileNumber: fileNumber, isLast: true, at: wall) })
  }

  /// How the budgets stood at the newest look.
  var budgets: [ErrorBudget] { state.withLock(\.budgets) }

  /// What a span used of the budgets of the objectives in force.
  func use(from: WallTime, to: WallTime, _ objectives: Objectives) -> [BudgetUse] {
    let history = state.withLock(\.tracker.history)
    return BudgetObjective.allCases.compactMap { objective in
      guard let left = objectives.shareLeft(by: objective) else { return nil }
      return BudgetUse(
        workload: workload, objective: objective,
        target: objective == .latency ? 1 - left : objectives.availabilityRatio ?? 1 - left, from: from, to: to,
        amount: history.amount(of: objective, from: from.seconds, to: to.seconds))
    }
  }
}

extension BudgetTracker.Look {
  /// - Parameters:
  ///   - records: what is remembered of members, to tell a master that is down.
  init(
    _ members: [MemberReading], _ config: WorkloadConfig, _ following: Following,
    _ records: [NodeAddress: MemberRecord], at wall: WallTime
  ) {
    let time = Timestamp(wall)
    masters = Set(members.filter { $0.facts?.replication?.isMaster == true }.map(\.address))
    unreadCount = members.count { $0.answers == nil }
    objectives = config.objectives(at: time)
    isInMaintenance = config.isInMaintenance(at: time)
    owedCount = config.expected.masters ?? Self.owed(masters.count, members, config, following, records)
  }

  /// Where the configuration does not count masters: the shards of a cluster, or independent servers that were masters.
  private static func owed(
    _ present: Int, _ members: [MemberReading], _ config: WorkloadConfig, _ following: Following,
    _ records: [NodeAddress: MemberRecord]
  ) -> Int? {
    switch config.topology {
    case .cluster:
      guard let view = following.cluster else { return nil }
      return max(present, view.shards.count { view[$0.masterID]?.slots.isEmpty == false })
    case .static, .redlock:
      return present + members.count { $0.answers == false && records[$0.address]?.isMaster == true }
    case .sentinel, .replication: return nil
    }
  }
}
