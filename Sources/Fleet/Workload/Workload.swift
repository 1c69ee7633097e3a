import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Storage

/// One workload of the configuration: polls, follows, judges, publishes.
///
/// All that it decides comes from pure values; it owns the nodes and passes their newest readings around.
actor Workload {
  nonisolated let config: WorkloadConfig
  let factory: MemberFactory
  private let page: FleetPage
  private let log: Logger
  private let logPace: LogPace
  let store: WorkloadStore
  /// nil where no keys are watched.
  let keyWatches: WorkloadKeys?

  private(set) var crew: Crew
  private(set) var membership: Membership
  var tracker: WorkloadTracker
  private(set) var events: WorkloadLog
  private var findings = FindingTracker()
  /// What the watches over keys had found at the last look.
  private var keys = KeyReading.none
  private var pace = LookPace()
  private var isStopped = false

  init(_ config: WorkloadConfig, context: FleetContext, store: WorkloadStore) {
    self.config = config
    self.store = store
    var log = context.log
    log[metadataKey: "workload"] = "\(config.name)"
    let logPace = LogPace(log.handler)
    self.logPace = logPace
    log.handler = logPace
    self.log = log
    factory = MemberFactory(config: config, context: context, log: log)
    crew = Crew(factory, log: log)
    page = FleetPage(context.registry, name: "\(config.name)/workload")
    let (page, labels) = (page, config.seriesLabels)
    keyWatches = WorkloadKeys(config, context: context, log: log) { samples in
      page.publish(samples.with(constantLabels: labels), under: "keys")
    } publishSample: { samples in
      page.publish(samples.with(constantLabels: labels), under: "keyspace")
    }
    tracker = WorkloadTracker(config, store.failovers, audit: AuditTracker(store.auditRecords(), began: .now))
    store.begin(tracker.failovers.state)
    store.budgets.begin()
    let records = store.memberRecords()
    events = WorkloadLog(workload: config.name, records: records, pollSeconds: config.pollInterval.seconds)
    membership = Membership(
      config, memberLimit: context.memberLimit, remembered: Set(records.keys),
      lastMembers: store.addresses(.members), lastSentinels: store.addresses(.sentinels))
  }

  /// Watches until the task is cancelled.
  func run() async {
    events.failovers.recall(await store.newestFailovers(FailoverLog.toldLimit))
    await store.budgets.restore()
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: LookPace.pause(memberCount: crew.members.count))
    }
  }

  /// Ends everything; its series are gone from the next page on.
  func stop() async {
    isStopped = true
    let all = crew.disband()
    await keyWatches?.stop()
    await withTaskGroup(of: Void.self) { group in
      for node in all { group.addTask { await node.stop() } }
    }
    page.close()
    store.budgets.save(at: .now)
    factory.context.findingAllowances.release(config.name)
  }

  /// Takes note that files or permissions may have changed.
  func reset() async {
    for node in crew.all { await node.reset() }
    await keyWatches?.reset()
  }

  /// Takes over what files say of its settings.
  func declare(_ declared: DeclaredWorkload?) { tracker.declared = declared }

  // MARK: A look

  /// Takes in what the polls brought since the last look: first it is computed, then applied, and only then waited for.
  func look() async {
    let (now, wall) = (Monotonic.now, WallTime.now)
    let readings = crew.readings
    let isNews = pace.isNews(readings)
    let change = isNews ? follow(readings, now, wall) : nil
    let isDue = pace.mustPublish(isNews: isNews, memberCount: crew.members.count, at: now)
    pace.forgetShown(at: now)
    store.budgets.note(
      BudgetTracker.Look(readings.members, config, tracker.following, events.members.records, at: wall),
      probes: { crew.members[$0]?.probes }, at: now, wall)
    let state = isDue || change?.hasFailedOver == true ? publish().state : nil
    if !isNews, events.failovers.isFollowing { events.failovers.note(readings.members, at: now, instance: instance) }
    store.revise(events.failovers.takeRevisions(at: wall))
    let isTroubled = tracker.following.isTroubled || tracker.failovers.isUnderWay
    if isTroubled, pace.mayLookClosely(at: now) { crew.pollNow() }

    if let change {
      for node in change.gone { await node.stop() }
      crew.meet(change.wanted, tracker.following)
      listen()
    }
    if let state, let keyWatches {
      keys = await keyWatches.update(state.keyShards, state.keyReaders, members: crew.members)
    }
  }

  private struct Change {
    let wanted: Membership.Wanted
    let gone: [WatchedNode]
    let hasFailedOver: Bool
  }

  /// Makes out the members and what happened to them.
  private func follow(_ readings: Crew.Readings, _ now: Monotonic, _ wall: WallTime) -> Change {
    let before = tracker.following
    tracker.follow(
      membership.heard(readings.members + readings.scouts, before),
      sentinels: membership.heard(fromSentinels: readings.sentinels, before))
    crew.wake(whoWasDownIn: before, tracker.following)
    let decision = membership.decide(
      &tracker.following, members: readings.members, sentinels: readings.sentinels, at: now)
    let following = tracker.following
    store.keep(membership.lastMembers, as: .members, at: wall)
    store.keep(membership.lastSentinels, as: .sentinels, at: wall)
    let gone = crew.leave(allBut: decision.wanted, following, at: now)

    let trusted = readings.members.filter { reading in
      crew.members[reading.address] != nil && membership.isTrusted(reading.address, following)
    }
    for change in decision.changes { tell(change) }
    let news = events.note(
      decision, trusted, aliases: following.aliases, instance: instance, at: wall)
    store.keep(events.takeChanges(), of: events.members.records, news, at: wall)

    // Independent servers have nobody to fail over to.
    if !config.topology.isIndependent { events.failovers.note(readings.members, at: now, instance: instance) }
    tracker.failovers.expect(voterCount: voterCount)
    let evidence = FailoverEvidence(
      following: following, members: readings.members, trusted: trusted,
      sentinels: readings.sentinels.filter { membership.sentinels.contains($0.address) }, wall: wall)
    let actions = tracker.failovers.dated(tracker.failovers.observe(evidence), by: evidence)
    tracker.note(
      readings.members, own: own, config.objectives(at: Timestamp(wall)),
      at: now)
    return Change(
      wanted: decision.wanted, gone: gone, hasFailedOver: take(actions, mayPoll: true, at: wall))
  }

  /// What the daemon itself did at a member.
  private func own(_ address: NodeAddress) -> WorkloadTracker.Own {
    guard let totals = crew.members[address]?.node.cost.totals else { return WorkloadTracker.Own() }
    return WorkloadTracker.Own(
      lookupCount: totals.lookups, refusedCount: Int(clamping: totals.failures[.maxclients] ?? 0))
  }

  private func instance(_ address: NodeAddress) -> String { crew.instance(address, tracker.following) }

  private func tell(_ change: Roster.Change) {
    switch change {
    case .arrived(let address): log.info("member found", metadata: ["node": "\(address)"])
    case .went(let address): log.warning("member is missing", metadata: ["node": "\(address)"])
    case .returned(let address): log.info("member is back", metadata: ["node": "\(address)"])
    case .becameGhost(let address):
      log.info(
        "member is a ghost: it is gone, and the workload is complete without it", metadata: ["node": "\(address)"])
    case .dropped(let address): log.info("member dropped", metadata: ["node": "\(address)"])
    }
  }

  // MARK: Failovers

  private func listen() {
    crew.listen(to: membership.sentinels) { [weak self] sentinel in
      // What was published meanwhile shows in config-epoch.
      await self?.crew.sentinels[sentinel]?.pollNow()
    } hear: { [weak self] sentinel, message in
      await self?.hear(message.event, from: sentinel, at: message.time)
    }
    pace.forget(allBut: Set(crew.subscribers.keys))
  }

  func hear(_ event: SentinelEvent, from sentinel: NodeAddress, at wall: WallTime) {
    guard !isStopped else { return }
    tracker.failovers.expect(voterCount: voterCount)
    let actions = tracker.failovers.receive(event, from: sentinel.name, at: wall)
    let mayPoll =
      actions.contains(.poll) && pace.mayLook(heardFrom: sentinel, at: .now)
    if take(actions, mayPoll: mayPoll, at: wall) { _ = publish() }
  }

  /// The Sentinels whose word counts, but for those that do not answer. One that was confirmed just now has a say before it
  /// is polled: else the first to publish would be the only one.
  private var voterCount: Int {
    membership.sentinels.count { crew.sentinels[$0]?.reading.answers != false }
  }

  /// - Returns: whether a failover was counted.
  private func take(_ actions: [FailoverAction], mayPoll: Bool, at wall: WallTime) -> Bool {
    var counted: [(kind: Failover.Kind, event: Event)] = []
    for action in actions {
      switch action {
      case .count(let failover):
        let event = events.failovers.begin(failover, instance: instance)
        log.warning("\(event.summary)")
        counted.append((failover.kind, event))
      case .update(let failover): events.failovers.revise(failover, instance: instance)
      case .poll: break
      }
    }
    store.keep(tracker.failovers.state, counting: counted, at: wall)
    if mayPoll, actions.contains(.poll) { crew.pollNow() }
    return !counted.isEmpty
  }

  // MARK: The state

  /// How the workload stands by its newest readings.
  func state(at now: Monotonic) -> WorkloadState {
    let surroundings = crew.members.map { address, member in
      WorkloadState.Surroundings(
        reading: member.reading, instance: member.instance, standing: membership.standings[address],
        pollState: (member.node.poller.newest?.state ?? .unknown).name, problem: member.problem,
        isProbeAnswered: member.isProbeAnswered, isLeftAlone: member.schedule.isBreakerOpen,
        audit: tracker.audit.readings[address])
    }
    return tracker.state(
      surroundings, isPolled: membership.isPolled, keys: keys, turnedAway: membership.turnedAway,
      unconfirmedFailoverCount: tracker.failovers.unconfirmedFailoverCount ?? 0,
      change: factory.context.changes.open(config.name, at: .now), at: now, wall: .now)
  }

  /// What pages and answers are made of: what is published, so that they say what the metrics say.
  func shown() -> Judgement {
    let now = Monotonic.now
    if let shown = pace.shown, isStopped || now - shown.state.now < LookPace.shownSeconds { return shown }
    guard isStopped else { return publish() }
    let state = state(at: now)
    return findings.judgement(Verdict(CheckCatalogue.all, of: state), of: state)
  }

  /// Judges the workload and shows what comes of it.
  @discardableResult
  func publish() -> Judgement {
    let now = Monotonic.now
    pace.notePublication(at: now)
    let state = state(at: now)
    var verdict = Verdict(CheckCatalogue.others, of: state)
    let audit = tracker.audit.verdict(of: state)
    verdict.add(audit)
    findings.note(verdict, at: state.wall).blameConfiguration(in: log)
    let judgement = findings.judgement(verdict, of: state)
    pace.shown = judgement
    if let recorder = factory.context.recorder { recorder.note(RecordedJudgement(judgement, of: config.name)) }
    verdict.addSummary(config.name, factory.context.findingAllowances)
    verdict.add { sink in
      state.addFigures(into: &sink)
      addBounds(into: &sink)
      let name = config.sentinel.map { LabelValue($0.masterName) } ?? .absent
      FailoverFamilies.add(tracker.failovers, events.failovers.newest, name, count: store.count, into: &sink)
      FailoverFamilies.add(events.failovers.told(at: state.wall), name, into: &sink)
      addSentinels(into: &sink)
      BudgetFamilies.add(store.budgets.budgets, into: &sink)
      factory.lateness.collect(into: &sink)
    }
    store.append(events.note(state, isNews: membership.isSettled))
    page.publish(verdict.samples(constantLabels: config.seriesLabels), under: "state")
    page.publish(audit.samples, under: "audit")
    page.publish(config.info, under: "info")
    return judgement
  }

  private func addSentinels(into sink: inout SampleSink) {
    guard let view = tracker.following.sentinelView else { return }
    for (address, subscriber) in crew.subscribers.sorted(by: { $0.key < $1.key }) {
      let instance = factory.instance(of: address, announced: nil)
      sink.add(FailoverFamilies.listening, subscriber.isListening ? 1 : 0, .text(instance))
    }
    FailoverFamilies.add(
      view, expectedCount: config.expected.sentinels, arePolled: membership.isPolled, into: &sink)
  }

  /// What was turned away or left out.
  private func addBounds(into sink: inout SampleSink) {
    if !config.topology.isIndependent {
      for reason in MemberRefusal.allCases {
        sink.add(
          WorkloadFamilies.membersRefused, Double(membership.turnedAway.counts[reason] ?? 0), .text(reason.rawValue))
      }
    }
    sink.add(WorkloadFamilies.eventsOmitted, Double(store.omittedEventCount))
    sink.add(WorkloadFamilies.logLinesOmitted, Double(logPace.omittedCount))
  }
}
