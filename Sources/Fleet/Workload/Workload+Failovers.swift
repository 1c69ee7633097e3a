import Config
import Logging
import NIOCore
import Redis
import Runtime
import Storage

extension Workload {
  /// What was counted; nil where nothing counts.
  var failoverCounts: [FailoverRecord.Kind: Int]? {
    failovers?.state.counts ?? clusterFailovers?.state.counts ?? replicationFailovers?.state.counts
  }

  var lastFailoverSeconds: Double? {
    failovers?.state.lastFailoverSeconds ?? clusterFailovers?.state.lastFailoverSeconds
      ?? replicationFailovers?.state.lastFailoverSeconds
  }

  var isFailoverUnderWay: Bool {
    failovers?.isTroubled == true || clusterFailovers?.isJudging == true || replicationFailovers?.isTroubled == true
  }

  // MARK: Sentinels

  /// Listens to every Sentinel that is watched.
  func listen(to group: Set<NodeAddress>) {
    guard let sentinel = config.sentinel else { return }
    for (address, listener) in listeners
    where !group.contains(address) || listener.lease !== sentinels[address]?.lease {
      listener.stop()
      listeners[address] = nil
      observedSeconds[address] = nil
      heardLooks[address] = nil
    }
    for address in group where listeners[address] == nil {
      guard let node = sentinels[address], let lease = node.lease else { continue }
      listeners[address] = SentinelEar(lease) {
        SentinelListener(
          factory.sentinelConnection(address, sentinel), timeout: TimeAmount(config.timeout),
          context: factory.context.connections, cost: node.node.cost, log: log)
      } connected: { [weak self] in
        // What was published meanwhile shows in config-epoch.
        await self?.sentinels[address]?.pollNow()
      } hear: { [weak self] message in
        await self?.heard(message.event, from: address, atSeconds: message.seconds)
      }
    }
  }

  private func heard(_ event: SentinelEvent, from sentinel: NodeAddress, atSeconds seconds: Double) {
    guard var tracker = failovers else { return }
    tracker.voterCount = voterCount
    let actions = tracker.receive(event, from: sentinel.name, atSeconds: seconds)
    failovers = tracker
    var looks = heardLooks[sentinel] ?? Allowance(Self.heardLookLimit, perSecond: Self.heardLooksPerSecond)
    let mayPoll = actions.contains(.poll) && looks.take(atSeconds: monotonicSeconds())
    heardLooks[sentinel] = looks
    take(actions, atSeconds: seconds, mayPoll: mayPoll)
  }

  /// Polls out of turn that what one Sentinel publishes may cause in succession, and how many come back.
  private static let heardLookLimit = 30.0
  private static let heardLooksPerSecond = 0.1

  /// The Sentinels whose word counts and who can be asked.
  private var voterCount: Int {
    max(1, sentinelAdmission.confirmed.count { sentinels[$0].map { $0.reading.answers != false } ?? false })
  }

  /// What a server itself says of its place in replication.
  private func role(of address: NodeAddress) -> FailoverTracker.Role? {
    let node = members[address] ?? members.first { $0.key.mayBe(address) }?.value
    guard let reading = node?.reading, let answers = reading.answers else { return nil }
    guard answers else { return .silent }
    return reading.facts?.replication.map { $0.isMaster ? .master : .replica }
  }

  /// Takes in the `config-epoch` of each Sentinel that was polled since the last time.
  func observe(_ readings: [MemberReading]) {
    guard var tracker = failovers else { return }
    tracker.voterCount = voterCount
    var actions: [FailoverTracker.Action] = []
    for reading in readings where observedSeconds[reading.address] != reading.seconds {
      observedSeconds[reading.address] = reading.seconds
      guard let master = reading.facts?.sentinel?.master else { continue }
      actions += tracker.observe(
        FailoverTracker.Observation(master, sentinel: reading.address.name, seconds: reading.endedSeconds))
    }
    let now = wallClockSeconds()
    actions += tracker.settleClaims(atSeconds: now, role: role) + tracker.advance(toSeconds: now)
    failovers = tracker
    take(actions, atSeconds: now, mayPoll: true)
  }

  private func take(_ actions: [FailoverTracker.Action], atSeconds seconds: Double, mayPoll: Bool) {
    guard let tracker = failovers else { return }
    var counted: [FailoverStory] = []
    var mustPoll = false
    for action in actions {
      switch action {
      case .count(let record):
        newestFailover = record
        let story = FailoverStory(record, workload: config.name, instance: instance)
        counted.append(begin(story, clientsAtSeconds: story.beginSeconds))
      case .update(let record):
        if newestFailover?.number == record.number { newestFailover = record }
        let story = FailoverStory(record, workload: config.name, instance: instance)
        openStories = openStories.map { $0.key == story.key ? story.withClients(of: $0) : $0 }
      case .poll: mustPoll = true
      }
    }
    archive.keep(tracker.state, counting: counted, atSeconds: seconds)
    if !counted.isEmpty { publish() }
    if mustPoll, mayPoll { pollNow() }
  }

  // MARK: Clusters and plain replication

  /// Looks for failovers that only the members' own views show.
  func observe(_ readings: [MemberReading], atSeconds seconds: Double) {
    // Before the newest polls of each member, the failover had not taken place.
    let beforeSeconds = seconds - config.pollInterval.seconds
    if var tracker = clusterFailovers, let view = following.cluster {
      // What was heard before is not gone through again: a large cluster says much.
      let testimonies = readings.filter { observedSeconds[$0.address] != $0.seconds }
        .compactMap { ClusterTestimony($0, in: view) }
      observedSeconds = Dictionary(readings.map { ($0.address, $0.seconds) }, uniquingKeysWith: { first, _ in first })
      let wasJudging = tracker.isJudging
      let found = tracker.observe(view, testimonies, atSeconds: seconds)
      clusterFailovers = tracker
      let counted = found.map { failover in
        let from = view[failover.fromID].map { instance($0.address) } ?? failover.fromID
        let story = FailoverStory(failover, workload: config.name, from: from, instance: instance)
        return begin(story, clientsAtSeconds: beforeSeconds)
      }
      archive.keep(tracker.state, counting: counted, atSeconds: seconds)
      if !counted.isEmpty { publish() }
      if tracker.isJudging, !wasJudging { pollNow() }
    }
    if var tracker = replicationFailovers, let view = following.replication {
      let members = readings.map { reading in
        (
          reading.address,
          ReplicationFailoverTracker.Member(
            answers: reading.answers == true, runID: reading.facts?.server.runID)
        )
      }
      let before = tracker.state
      let found = tracker.observe(
        view, Dictionary(members, uniquingKeysWith: { first, _ in first }), atSeconds: seconds)
      replicationFailovers = tracker
      let counted =
        found.map { failover in
          [begin(FailoverStory(failover, workload: config.name, instance: instance), clientsAtSeconds: beforeSeconds)]
        } ?? []
      if tracker.state != before { archive.keep(tracker.state, counting: counted, atSeconds: seconds) }
      if !counted.isEmpty { publish() }
    }
  }

  // MARK: Stories

  private func begin(_ story: FailoverStory, clientsAtSeconds moment: Double) -> FailoverStory {
    var story = story
    story.clientsBefore = clients.counts(atSeconds: moment)
    openStories.append(story)
    let summary = story.event.summary
    if story.kind != .aborted { lastFailover = summary }
    log.warning("\(summary)")
    return story
  }

  /// Completes the events of failovers whose clients have had time to find the new master.
  func finishStories(atSeconds now: Double) {
    openStories.removeAll { story in
      guard now - story.seconds >= FailoverStory.settleSeconds else { return false }
      var story = story
      story.clientsAfter = clients.counts(sinceSeconds: story.seconds)
      archive.revise(story)
      return true
    }
  }

  func noteClients() {
    for member in members.values {
      let reading = member.reading
      guard let count = reading.facts?.connectedClients else { continue }
      clients.note(count, of: member.instance, atSeconds: reading.endedSeconds)
    }
    clients.forget(allBut: Set(members.values.map(\.instance)))
  }

  // MARK: Names

  func instance(_ address: NodeAddress) -> String {
    members[address]?.instance ?? factory.instance(of: address, announced: following.hostnames[address])
  }
}
