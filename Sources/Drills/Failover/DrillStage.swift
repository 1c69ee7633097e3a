import Config
import Fleet
import Redis
import Runtime

/// The canaries of a drill, the ledger and those who look on.
final class DrillStage: Sendable {
  let group: DrillGroup
  let keys: CanaryKeys
  let settings: DrillSettings
  let timeline = Timeline()
  let observer: GroupObserver
  private let workload: WorkloadConfig
  private let topology: any DrillTopology
  private let client: DrillClient
  private let ledger: AckStore
  private let writers: [CanaryWriter]
  private struct Work {
    var writing: [Task<Void, Never>] = []
    var others: [Task<Void, Never>] = []
  }
  private let work = Lock(Work())

  init(
    group: DrillGroup, keys: CanaryKeys, settings: DrillSettings, workload: WorkloadConfig,
    topology: any DrillTopology, client: DrillClient, ledger: AckStore, runIDs: Set<String>
  ) {
    self.group = group
    self.keys = keys
    self.settings = settings
    self.workload = workload
    self.topology = topology
    self.client = client
    self.ledger = ledger
    observer = GroupObserver(group, client, masterName: workload.sentinel?.masterName ?? "", timeline: timeline)
    let shared = CanaryWork(
      keys: keys, settings: settings, group: group, topology: topology, client: client, ledger: ledger, runIDs: runIDs)
    writers = (0..<DrillSettings.writerCount).map { CanaryWriter($0, shared) }
  }

  func begin() {
    let (ledger, observer) = (ledger, observer)
    work.withLock { work in
      work.others = [
        Task(executorPreference: WorkExecutor.files) { await ledger.run() }, Task { await observer.run() },
      ]
      work.writing = writers.map { writer in Task { await writer.run() } }
    }
  }

  func stopWriters() async {
    for writer in writers { writer.stop() }
    for task in work.withLock({ $0.writing }) { await task.value }
    let ledger = ledger
    await Task(executorPreference: WorkExecutor.files) { await ledger.flush() }.value
  }

  func end() async {
    let others = work.withLock { $0.others }
    for task in others { task.cancel() }
    for task in others { await task.value }
  }

  func look() -> DrillCourse.Look {
    let now = Monotonic.now
    let states = writers.map(\.now)
    let seen = observer.seen
    var look = DrillCourse.Look(at: now, acks: states.map(\.lastAck))
    look.lastError = states.compactMap(\.lastError).max()
    look.switchCount = timeline.switches.count
    look.masterCount = seen.values.count { $0.isMaster && ($0.answered.map { now - $0 < 2 } ?? false) }
    look.answered = seen.compactMapValues(\.answered)
    look.deaf = observer.deafSince
    look.ledgerProblem = ledger.failure
    return look
  }

  // MARK: Afterwards

  private static let batch = 500
  private static let tries = 5

  /// Commands to the master, in batches, with a new look for the master where it does not answer.
  ///
  /// - Returns: whether all were answered.
  private func ask(_ commands: [Command], _ take: (Int, Reply) -> Void) async -> Bool {
    var position = 0
    for _ in 0..<Self.tries {
      if let address = try? await topology.master(group) {
        let line = DrillLine(address, client)
        while position < commands.count {
          let batch = Array(commands[position..<min(commands.count, position + Self.batch)])
          guard let replies = try? await line.ask(batch, seconds: 5) else { break }
          for index in batch.indices { take(position + index, replies[index]) }
          position += batch.count
        }
        await line.close()
      }
      if position >= commands.count { return true }
      try? await Task.sleep(for: .milliseconds(200))
    }
    return false
  }

  /// Reads every acknowledged write back from the master.
  func readBack(since faultAt: Monotonic?) async -> DrillOutcome {
    let acks = ledger.acks
    var lost: [Ack] = []
    let isRead = await ask(acks.map { ["GET", keys.key(Int($0.writer), Int($0.number))] }) { index, reply in
      let ack = acks[index]
      let value = keys.value(Int(ack.writer), Int(ack.number))
      if reply.bytes?.elementsEqual(value.utf8) != true { lost.append(ack) }
    }
    var outcome = DrillOutcome(workload: workload.name, settings: settings, run: keys.run)
    outcome.writes.isReadBack = isRead
    // The first keys must not have come to their end meanwhile.
    outcome.writes.isTooLate = acks.first.map { .now - $0.at > Double(settings.keySeconds) - 5 } ?? false
    outcome.take(acks, lost: lost, masters: ledger.masters, oldRunID: group.master.runID, faultAt: faultAt)
    for writer in writers { outcome.errors.add(writer.now.errors) }
    outcome.writes.diskSeconds = ledger.longestSeconds
    outcome.take(timeline, faultAt: faultAt)
    let name = client.access.name
    for (address, seen) in observer.seen {
      outcome.readOnly[name(address)] = seen.readOnlyCount
      outcome.writes.evictedCount += seen.evictedCount
    }
    outcome.oldMaster.name = name(group.master.address)
    outcome.oldMaster.address = group.master.address
    outcome.oldMaster.runID = group.master.runID
    outcome.isLocal = LocalHost.areAll((group.nodes.map(\.address) + group.sentinels + group.witnesses).map(\.host))
    return outcome
  }

  /// Removes every key that was tried.
  ///
  /// - Returns: how many may be left, which expire.
  func clean() async -> Int {
    var commands: [Command] = []
    for writer in writers {
      for number in 0..<writer.now.number where group.owns(group.isCluster ? keys.slot(writer.index, number) : 0) {
        commands.append(["UNLINK", keys.key(writer.index, number)])
      }
    }
    var removed = 0
    _ = await ask(commands) { _, _ in removed += 1 }
    return commands.count - removed
  }
}
