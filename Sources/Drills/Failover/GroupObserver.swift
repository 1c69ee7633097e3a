import Fleet
import NIOCore
import Redis
import Runtime

/// Looks at every server of a drill five times a second, and listens to the Sentinels.
final class GroupObserver: Sendable {
  struct Seen: Sendable {
    var runID = ""
    var isMaster = false
    /// Of the process as it was first seen.
    var firstReadOnly = 0
    var readOnly = 0
    var firstEvicted = 0
    var evicted = 0
    /// Errors of earlier processes at the address.
    var readOnlyBefore = 0
    var evictedBefore = 0
    var answered: Monotonic?
    var offset = 0
    var isLinked = false

    var readOnlyCount: Int { readOnlyBefore + max(0, readOnly - firstReadOnly) }
    var evictedCount: Int { evictedBefore + max(0, evicted - firstEvicted) }
  }

  private struct State {
    var seen: [NodeAddress: Seen] = [:]
    var meter = FailoverCostMeter()
    var deafSince: [NodeAddress: Monotonic] = [:]
  }

  let group: DrillGroup
  let timeline: Timeline
  private let client: DrillClient
  private let masterName: String
  private let state = Lock(State())
  private static let pauseSeconds = 0.2

  init(_ group: DrillGroup, _ client: DrillClient, masterName: String, timeline: Timeline) {
    self.group = group
    self.client = client
    self.masterName = masterName
    self.timeline = timeline
  }

  var seen: [NodeAddress: Seen] { state.withLock { $0.seen } }
  var cost: Failover.Cost? { state.withLock { $0.meter.cost } }
  var isCostSettled: Bool { state.withLock { $0.meter.isSettled } }
  /// Sentinels that are not heard, and since when.
  var deafSince: [NodeAddress: Monotonic] { state.withLock { $0.deafSince } }

  /// Runs until it is cancelled.
  func run() async {
    await withDiscardingTaskGroup { tasks in
      for node in group.nodes { tasks.addTask { await self.watch(node.address) } }
      for sentinel in group.sentinels { tasks.addTask { await self.listen(to: sentinel) } }
      if group.isCluster { tasks.addTask { await self.watchCluster() } }
    }
  }

  private func watch(_ address: NodeAddress) async {
    let line = DrillLine(address, client)
    while !Task.isCancelled {
      let began = Monotonic.now
      let info = (try? await line.ask([["INFO"]], seconds: 1)).map { DrillFacts($0[0]) }
      if info == nil { await line.close() }
      take(info, of: address, began: began)
      try? await Task.sleep(for: .seconds(max(0.01, Self.pauseSeconds - (.now - began))))
    }
    await line.close()
  }

  private func take(_ facts: DrillFacts?, of address: NodeAddress, began: Monotonic) {
    let now = Monotonic.now
    let switched = timeline.switches.first?.to
    state.withLock { state in
      state.meter.note(address, facts?.info, began: began, at: now)
      if let switched { state.meter.begin(from: group.master.address, to: switched) }
      guard let facts else { return }
      state.seen[address, default: Seen()].take(facts, at: now)
    }
  }

  private func listen(to sentinel: NodeAddress) async {
    while !Task.isCancelled {
      let options = client.access.sentinel(sentinel)
      if let subscription = try? await Subscription.open(
        options, pattern: "*", in: client.context, deadline: .now() + .lasting(2))
      {
        state.withLock { $0.deafSince[sentinel] = nil }
        await withTaskCancellationHandler {
          for await message in subscription.messages {
            timeline.note(message, masterName: masterName, name: client.access.name)
          }
        } onCancel: {
          subscription.close()
        }
      }
      guard !Task.isCancelled else { return }
      state.withLock { state in if state.deafSince[sentinel] == nil { state.deafSince[sentinel] = .now } }
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  /// What the other nodes say of the master: marked by one, marked failed, replaced.
  private func watchCluster() async {
    let lines = group.witnesses.prefix(8).map { DrillLine($0, client) }
    let slot = group.slots?.first?.lowerBound ?? 0
    while !Task.isCancelled {
      for line in lines {
        guard let text = try? await line.ask([["CLUSTER", "NODES"]], seconds: 0.5)[0].bytes else {
          await line.close()
          continue
        }
        let nodes = ClusterNodes(text).nodes
        let now = Monotonic.now
        let (by, of) = (client.access.name(line.address), client.access.name(group.master.address))
        if let flags = nodes.first(where: { $0.address == group.master.address })?.flags {
          if flags.contains("fail?") { timeline.note(.sdown, "\(by) marks \(of) as maybe failed (fail?)", at: now) }
          if flags.contains("fail") { timeline.note(.odown, "\(of) is marked as failed", at: now) }
        }
        guard let owner = nodes.first(where: { $0.slots.contains { $0.contains(slot) } })?.address,
          owner != (timeline.switches.last?.to ?? group.master.address)
        else { continue }
        // A node that has not heard yet names one who was replaced.
        guard !timeline.switches.contains(where: { $0.to == owner }),
          owner != group.master.address || !timeline.switches.isEmpty
        else { continue }
        guard seen[owner]?.isMaster == true else { continue }
        timeline.noteSwitch(to: owner, "\(client.access.name(owner)) has the slots of \(of)", at: now)
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    for line in lines { await line.close() }
  }
}

extension GroupObserver.Seen {
  fileprivate mutating func take(_ facts: DrillFacts, at now: Monotonic) {
    let readOnly = facts.info.errorCount("READONLY")
    let evicted = facts.info.integer("evicted_keys") ?? 0
    if runID != facts.server.runID {
      (readOnlyBefore, evictedBefore) = (readOnlyCount, evictedCount)
      let isFirst = runID.isEmpty
      // One that was started again has counted from zero.
      (firstReadOnly, firstEvicted) = isFirst ? (readOnly, evicted) : (0, 0)
      runID = facts.server.runID
    }
    (self.readOnly, self.evicted) = (readOnly, evicted)
    answered = now
    isMaster = facts.replication?.isMaster == true
    offset = facts.replication?.offset ?? 0
    isLinked = facts.replication?.isLinkUp == true
  }
}

extension InfoText {
  /// `errorstat_READONLY:count=3`; 0 where there was none, and before 6.2.
  fileprivate func errorCount(_ name: String) -> Int {
    let pair = self["errorstat_\(name)"].flatMap { InfoPairs($0).first { $0.key.elementsEqual("count".utf8) } }
    return pair.flatMap { parseInteger($0.value) } ?? 0
  }
}
