import Config
import Fleet
import Redis
import Runtime

/// How often somebody asked a drill to stop: once is heard, twice hurries.
public final class Interruption: Sendable {
  private let state = Lock(0)

  public init() {}

  public func note() { state.withLock { $0 += 1 } }
  var count: Int { state.withLock { $0 } }
}

/// Breaks the master of a workload under canaries, and says what that cost.
public struct FailoverDrill: Sendable {
  let pass: GuardPass
  let settings: DrillSettings
  let client: DrillClient
  let interruption: Interruption
  let say: @Sendable (String) -> Void
  /// What a daemon counted of a failover since then; nil where none is asked.
  let daemonCost: (@Sendable (_ since: WallTime) async -> Failover.Cost?)?

  /// - Parameters:
  ///   - say: is told what goes on, a line each.
  public init(
    _ pass: GuardPass, _ settings: DrillSettings, connections: ConnectionContext, environment: [String: String],
    interruption: Interruption, say: @escaping @Sendable (String) -> Void,
    daemonCost: (@Sendable (_ since: WallTime) async -> Failover.Cost?)? = nil
  ) {
    self.pass = pass
    self.settings = settings
    client = DrillClient(access: DrillAccess(pass.workload, environment: environment), context: connections)
    self.interruption = interruption
    self.say = say
    self.daemonCost = daemonCost
  }

  private var workload: WorkloadConfig { pass.workload }

  /// - Throws: ``DrillRefusal`` where it did not begin.
  public func run() async throws -> DrillOutcome {
    let topology = try topology()
    let started = WallTime.now
    let group = try await topology.steadyGroup()
    let keys = CanaryKeys(run: CanaryKeys.newRun())
    let path = settings.ledgerPath ?? "\(PrivateFolder.defaultParent)/redline-drill-\(keys.run).ledger"
    let undoing = """
      run \(keys.run) of \(workload.name); keys \(keys.pattern) expire \(settings.keySeconds) s after they were written; \
      a pause of the master ends by itself
      """
    let ledger: AckStore
    do throws(FileProblem) { ledger = try AckStore(path, header: ["redline drill, \(undoing)"]) } catch {
      throw DrillRefusal(["the ledger \(path) cannot be written: \(error.reason)"])
    }
    say("\(undoing); ledger \(path)")
    let stage = DrillStage(
      group: group, keys: keys, settings: settings, workload: workload, topology: topology, client: client,
      ledger: ledger, runIDs: pass.runIDs)
    stage.begin()
    let fault = action(group, stage.timeline)
    var course = DrillCourse(settings, group, name: client.access.name, startedAt: .now)
    let end = await follow(&course, stage, fault)
    await finish(end, stage, fault)
    await stage.stopWriters()
    let cost = await cost(stage, course.faultAt)
    var outcome = await stage.readBack(since: course.faultAt)
    outcome.cost = cost
    outcome.end = end
    outcome.started = started
    outcome.settleMaster(stage.observer.seen)
    if !settings.keepsKeys { outcome.writes.unremovedCount = await stage.clean() }
    await stage.end()
    if !settings.keepsKeys, settings.ledgerPath == nil, outcome.lostCount == 0 {
      try? Folder.remove(file: path)
    } else {
      outcome.writes.ledgerPath = path
    }
    outcome.ended = .now
    return outcome
  }

  private func topology() throws(DrillRefusal) -> any DrillTopology {
    switch workload.topology {
    case .sentinel: return SentinelDrill(client: client, workload: workload, runIDs: pass.runIDs)
    case .cluster:
      guard settings.fault != .hang else {
        throw DrillRefusal([
          "a cluster does not fail over from a master that holds its clients: its bus still answers, so use planned, or kill with --exec"
        ])
      }
      return ClusterDrill(client: client, workload: workload, runIDs: pass.runIDs, wanted: settings.master)
    case let other:
      throw DrillRefusal(["\(workload.name) has the topology \(other.rawValue): nobody fails over there by himself"])
    }
  }

  private func action(_ group: DrillGroup, _ timeline: Timeline) -> any FaultAction {
    switch settings.fault {
    case .planned where group.isCluster: PlannedClusterFailover(group: group, client: client, timeline: timeline)
    case .planned:
      PlannedFailover(
        group, masterName: workload.sentinel?.masterName ?? "", client: client, timeline: timeline)
    case .hang: HangingMaster(group, client: client, timeline: timeline)
    case .kill, .exec:
      ExecFault(
        settings.command ?? "false", group, workload: workload.name, limitSeconds: settings.limitSeconds,
        client: client, timeline: timeline)
    }
  }

  // MARK: From the first canary to the end

  private struct FaultState {
    var isDone = false
    var problem: String?
  }

  private func follow(
    _ course: inout DrillCourse, _ stage: DrillStage, _ fault: any FaultAction
  ) async -> DrillCourse.End {
    let state = Lock(FaultState())
    var work: Task<Void, Never>?
    defer { work?.cancel() }
    say("canaries are written for \(Int(clamping: settings.beforeSeconds)) s before anything is broken")
    var told = 0
    while true {
      var look = stage.look()
      (look.isFaultDone, look.faultProblem) = state.withLock { ($0.isDone, $0.problem) }
      look.isInterrupted = interruption.count > 0
      for entry in stage.timeline.entries.dropFirst(told) { say(entry.text) }
      told = stage.timeline.entries.count
      switch course.step(look) {
      case .goOn: break
      case .beginFault:
        stage.timeline.note("the fault begins: \(settings.fault.rawValue)", at: look.at)
        work = Task {
          do throws(FaultProblem) {
            try await fault.begin()
            state.withLock { $0.isDone = true }
          } catch {
            state.withLock { $0.problem = error.text }
          }
        }
      case .end(let end):
        if end != .stable { work?.cancel() }
        await work?.value
        return end
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Undoes what can be undone, and waits until canaries are served by one master again.
  private func finish(_ end: DrillCourse.End, _ stage: DrillStage, _ fault: any FaultAction) async {
    switch end {
    case .stable: break
    case .interrupted: say("interrupted: undoes what can be undone; interrupt once more to wait for nothing")
    case .failed(let why), .notBegun(let why): say("given up: \(why)")
    }
    let first = interruption.count
    let undone = Lock(false)
    let undoing = Task {
      await fault.undo()
      undone.withLock { $0 = true }
    }
    let limit = Monotonic.now + settings.limitSeconds
    let began = Monotonic.now
    while Monotonic.now < limit, interruption.count <= max(1, first) {
      let look = stage.look()
      let isServed = look.acks.allSatisfy { ack in
        ack.map { $0.at > max(began, look.lastError ?? began) } ?? false
      }
      if undone.withLock({ $0 }), isServed, look.masterCount <= 1 { break }
      try? await Task.sleep(for: .milliseconds(50))
    }
    if !undone.withLock({ $0 }) { say("the pause of the old master goes on, and ends by itself") }
    undoing.cancel()
  }

  /// What the failover cost by the offsets of the servers: the daemon's word where it has one, else that of our own looks.
  private func cost(_ stage: DrillStage, _ faultAt: Monotonic?) async -> DrillOutcome.Cost? {
    guard let faultAt, !stage.timeline.switches.isEmpty else { return nil }
    let end = Monotonic.now + Self.costSeconds
    let since = stage.timeline.wall(faultAt)
    while Monotonic.now < end, interruption.count < 2 {
      if let daemonCost, let cost = await daemonCost(since), cost.lostBytes != nil {
        return DrillOutcome.Cost(cost: cost, isOfDaemon: true)
      }
      if daemonCost == nil, stage.observer.isCostSettled { break }
      try? await Task.sleep(for: .milliseconds(200))
    }
    return stage.observer.cost.map { DrillOutcome.Cost(cost: $0, isOfDaemon: false) }
  }

  private static let costSeconds = 12.0
}
