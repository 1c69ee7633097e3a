import Config
import Metrics
import Runtime

/// All workloads of a configuration file.
public actor Fleet {
  private struct Entry {
    let workload: Workload
    let work: Task<Void, Never>
  }
  private let context: FleetContext
  private var config: FleetConfig
  private var declared: DeclaredFiles
  private var entries: [String: Entry] = [:]
  /// Also of workloads that were replaced by a changed configuration.
  private var stores: [String: WorkloadStore] = [:]
  private var isRunning = false
  /// What commands verified. Nothing is taken from the folder of results unless somebody runs it: commands watch fleets, too.
  public nonisolated let checks: CheckReportStore
  /// What people and their tools marked.
  public nonisolated let marks: MarkStore
  private let jobs: JobRunner
  private var jobWork: Task<Void, Never>?
  /// The newest change of configuration, which the next one waits for.
  private var turn: Task<Void, Never>?

  /// - Parameters:
  ///   - file: of the configuration, as commands are to name it.
  ///   - declared: the files that it declares, as they were read with it.
  public init(
    _ config: FleetConfig, file: String = "redline.yml", declared: DeclaredFiles = DeclaredFiles(),
    context: FleetContext
  ) {
    self.config = config
    self.declared = declared
    self.context = context
    let registry = context.registry
    checks = CheckReportStore(config, file: file, store: context.store, registry: registry, log: context.log)
    marks = MarkStore(config, store: context.store, registry: registry, windows: context.changes, log: context.log)
    jobs = JobRunner(store: context.store, log: context.log) { registry.publish($0, under: "jobs") }
  }

  /// Starts to watch. When it returns, the counters of all workloads are on the page.
  public func start() async {
    guard !isRunning else { return }
    isRunning = true
    await jobs.serve(self)
    await jobs.start()
    await checks.start()
    await marks.start()
    for workload in config.workloads { await start(workload) }
    jobWork = Task { [jobs] in
      async let scheduled: Void = jobs.run()
      await runAudits()
      await scheduled
    }
  }

  /// Takes over another configuration: workloads that are the same in both keep running untouched.
  public func apply(_ new: FleetConfig, declared: DeclaredFiles) async {
    let before = turn
    let task = Task {
      await before?.value
      await swap(to: new, declared)
    }
    turn = task
    await task.value
  }

  private func swap(to new: FleetConfig, _ declared: DeclaredFiles) async {
    let changes = new.changes(from: config)
    config = new
    self.declared = declared
    await checks.apply(new)
    await marks.apply(new)
    guard isRunning else { return }
    for name in changes.removed { stores[name] = nil }
    for name in changes.removed + changes.changed.map(\.name) { await stop(name) }
    for workload in changes.changed + changes.added { await start(workload) }
    for name in changes.unchanged { await entries[name]?.workload.declare(declared[name]) }
  }

  /// Everything that is watched, in the order of the workloads' names.
  public func members() async -> [FleetMember] {
    var all: [FleetMember] = []
    for (_, entry) in entries.sorted(by: { $0.key < $1.key }) { all += await entry.workload.watched }
    return all
  }

  /// The names of the workloads, sorted.
  public var workloadNames: [String] { entries.keys.sorted() }

  /// How each workload stands, in the order of their names.
  ///
  /// - Parameter name: judges no other workload; nil for all.
  public func overview(of name: String? = nil) async -> [WorkloadOverview] {
    var all: [WorkloadOverview] = []
    for workload in workloads(name) { all.append(await workload.overview()) }
    return all
  }

  /// What every check says of each workload, in the order of their names.
  ///
  /// - Parameter name: judges no other workload; nil for all.
  public func checkResults(of name: String? = nil) async -> [CheckResult] {
    var all: [CheckResult] = []
    for workload in workloads(name) { all += await workload.checkResults() }
    return all
  }

  // MARK: Audit

  /// Asks for looks at the servers' security as they become due, until the task is cancelled.
  private func runAudits() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: AuditPace.interval)
      var isDue = false
      for workload in workloads(nil) where !isDue { isDue = await !AuditRound.due(workload, mayBeEarly: false).isEmpty }
      if isDue, !Task.isCancelled { await jobs.run("audit") }
    }
  }

  /// Looks over the security of all servers whose look is due.
  ///
  /// - Parameters:
  ///   - name: of no other workload; nil for all.
  ///   - mayBeEarly: whether every server is looked over now.
  @discardableResult
  public func audit(of name: String? = nil, mayBeEarly: Bool = false) async -> [AuditedWorkload] {
    let turns = AuditTurns()
    return await withTaskGroup(of: AuditedWorkload?.self) { group in
      for workload in workloads(name) {
        group.addTask { await AuditRound.run(workload, turns, mayBeEarly: mayBeEarly) }
      }
      var all: [AuditedWorkload] = []
      for await one in group { if let one { all.append(one) } }
      return all.sorted { $0.name < $1.name }
    }
  }

  /// How each server stands to the declared files, in the order of the workloads' names.
  ///
  /// - Parameter name: of no other workload; nil for all.
  public func drifts(of name: String? = nil) async -> [ServerDrift] {
    var all: [ServerDrift] = []
    for workload in workloads(name) { all += await workload.shown().state.declaredDrifts }
    return all
  }

  /// What a span of time used of the error budgets of each workload, in the order of their names.
  ///
  /// - Parameter name: of no other workload; nil for all.
  public func budgetUse(of name: String? = nil, from: WallTime, to: WallTime) async -> [BudgetUse] {
    var all: [BudgetUse] = []
    for workload in workloads(name) { all += await workload.budgetUse(from: from, to: to) }
    return all
  }
  /// How a workload stands for those who gather evidence of it; nil where there is none of that name.
  func evidenceContext(of name: String) async -> EvidenceContext? {
    guard let workload = workloads(name).first else { return nil }
    return await EvidenceContext.of(workload)
  }

  private func workloads(_ name: String?) -> [Workload] {
    guard let name else { return entries.sorted { $0.key < $1.key }.map(\.value.workload) }
    return entries[name].map { [$0.workload] } ?? []
  }

  /// Takes note that files or permissions may have changed.
  public func reset() async {
    for entry in entries.values { await entry.workload.reset() }
  }

  public func stop() async {
    isRunning = false
    jobWork?.cancel()
    await jobs.stop()
    await turn?.value
    // All at once: one that is held up must not hold up the others.
    for entry in entries.values { entry.work.cancel() }
    await withTaskGroup(of: Void.self) { group in
      for name in entries.keys { group.addTask { await self.stop(name) } }
    }
  }

  private func start(_ config: WorkloadConfig) async {
    let store =
      stores[config.name]
      ?? WorkloadStore(
        workload: config.name, file: context.store, changes: context.changes)
    stores[config.name] = store
    let workload = Workload(config, context: context, store: store)
    await workload.declare(declared[config.name])
    await workload.publish()
    entries[config.name] = Entry(workload: workload, work: Task { await workload.run() })
  }

  private func stop(_ name: String) async {
    guard let entry = entries.removeValue(forKey: name) else { return }
    entry.work.cancel()
    await entry.work.value
    await entry.workload.stop()
  }
}
