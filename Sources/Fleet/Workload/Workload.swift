import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Storage

/// One workload of the configuration: follows its topology and watches its members.
///
/// All that it decides comes from pure values; it owns the nodes and passes their newest readings around.
actor Workload {
  nonisolated let config: WorkloadConfig
  let factory: MemberFactory
  let page: FleetPage
  let log: Logger
  let archive: WorkloadArchive

  var members: [NodeAddress: WatchedNode] = [:]
  /// Who is only asked for its view, on no page: seeds while no member answers, and who is named by few.
  var scouts: [NodeAddress: WatchedNode] = [:]
  var sentinels: [NodeAddress: WatchedNode] = [:]
  var roster: Roster
  var tracker: WorkloadTracker
  var admission = Admission()
  var sentinelAdmission = Admission(.sentinels)
  /// Who is announced and not watched.
  var turnedAway = TurnedAway()
  var driftJournal = DriftJournal()
  var listeners: [NodeAddress: SentinelEar] = [:]
  /// nil but with topology `sentinel`.
  var failovers: FailoverTracker?
  var newestFailover: FailoverRecord?
  /// What happened in the newest failover, as far as it is known.
  var lastFailover: String?
  /// When the poll of each Sentinel, or cluster node, was that the tracker has taken in.
  var observedSeconds: [NodeAddress: Double] = [:]
  /// nil but with topology `cluster`.
  var clusterFailovers: ClusterFailoverTracker?
  /// nil where no keys are watched.
  let keyWatch: KeyWatch?
  /// What the watches over keys had found at the last look.
  var keys = KeyReading.none
  var findings = FindingTracker()
  /// nil but with topology `replication`.
  var replicationFailovers: ReplicationFailoverTracker?
  var clients = ClientBook()
  /// Failovers that were counted, and whose events are to be completed.
  var openStories: [FailoverStory] = []
  var journal: MemberJournal
  /// The members when the daemon last watched; empty at its first start.
  let remembered: Set<NodeAddress>
  /// Those that were members or Sentinels before.
  let knownBefore: Set<NodeAddress>
  let seeds: [NodeAddress]
  /// Whether the members were ever made out; before that the seeds stand in for them.
  private(set) var isDiscovered = false
  private(set) var isStopped = false
  private var lastReadingSeconds: Double = -1
  private var lastCloseLookSeconds: Double = 0
  private var closeLooks = Allowance(closeLookLimit, perSecond: closeLooksPerSecond)
  /// Polls out of turn because of what each Sentinel publishes.
  var heardLooks: [NodeAddress: Allowance] = [:]
  /// When a member's name last changed.
  var renamedSeconds: [NodeAddress: Double] = [:]
  let logPace: LogPace
  private var lastPublishSeconds: Double = 0
  /// Members that are found before this were there all along, or are compared with those of the last time.
  private var newsFromSeconds = Double.infinity
  /// Whether everybody has been found: what comes from then on is news.
  var isSettled = false

  /// Between two looks at what the polls have brought.
  static let lookInterval: Duration = .milliseconds(500)
  /// Between two polls out of turn while something is wrong.
  static let closeLookSeconds = 1.0
  /// Polls out of turn in succession, and how many come back while nothing is wrong or much is.
  static let closeLookLimit = 120.0
  static let closeLooksPerSecond = 1.0 / 30

  /// However little changes, the page is rebuilt at least this often: windows of maintenance and peaks begin and end.
  static let publishSeconds = 5.0
  /// How long it takes to find everybody from one seed.
  static let settleSeconds = 6.0

  init(_ config: WorkloadConfig, context: FleetContext, archive: WorkloadArchive) {
    self.config = config
    self.archive = archive
    var log = context.log
    log[metadataKey: "workload"] = "\(config.name)"
    let logPace = LogPace(log.handler)
    self.logPace = logPace
    log.handler = logPace
    self.log = log
    factory = MemberFactory(config: config, context: context, log: log)
    roster = Self.roster(context)
    page = FleetPage(context.registry, name: "\(config.name)/workload")
    let (page, labels) = (page, Self.labels(config))
    keyWatch = KeyWatch(config, context: context, log: log) { samples in
      page.publish(samples.with(constantLabels: labels), under: "keys")
    }
    seeds = config.seeds.map { NodeAddress($0) }
    tracker = WorkloadTracker(config)
    let records = archive.memberRecords()
    journal = MemberJournal(records)
    remembered = Set(records.keys)
    knownBefore = remembered.union(archive.addresses("members")).union(archive.addresses("sentinels"))
    switch config.topology {
    case .static: break
    case .replication:
      replicationFailovers = ReplicationFailoverTracker(state: archive.replicationFailovers())
    case .cluster:
      clusterFailovers = ClusterFailoverTracker(state: archive.clusterFailovers())
    case .sentinel:
      failovers = FailoverTracker(
        masterName: config.sentinel?.masterName ?? "", state: archive.failovers())
    }
  }

  private static func roster(_ context: FleetContext) -> Roster {
    var options = Roster.Options()
    options.memberLimit = min(options.memberLimit, context.memberLimit)
    return Roster(options)
  }

  var following: Following {
    get { tracker.following }
    set { tracker.following = newValue }
  }

  /// Watches until the task is cancelled.
  func run() async {
    if let event = await archive.newestFailover(), lastFailover == nil { lastFailover = event.summary }
    while !Task.isCancelled {
      await look()
      try? await Task.sleep(for: Self.lookInterval)
    }
  }

  /// Ends everything; its series are gone from the next page on.
  func stop() async {
    isStopped = true
    let all = Array(members.values) + Array(scouts.values) + Array(sentinels.values)
    (members, scouts, sentinels) = ([:], [:], [:])
    for listener in listeners.values { listener.stop() }
    listeners = [:]
    await keyWatch?.stop()
    await withTaskGroup(of: Void.self) { group in
      for node in all { group.addTask { await node.stop() } }
    }
    page.close()
    factory.context.findingAllowance.release(config.name)
  }

  /// Takes note that files or permissions may have changed.
  func reset() async {
    for node in Array(members.values) + Array(sentinels.values) + Array(scouts.values) { await node.reset() }
    await keyWatch?.reset()
  }

  /// Takes in what the polls brought since the last look.
  private func look() async {
    let readings = members.values.map(\.reading)
    let watchers = sentinels.values.map(\.reading)
    let hints = scouts.values.map(\.reading)
    let told = readings.filter { isTrusted($0.address) }
    let newest = (readings + watchers + hints).map(\.seconds).reduce(0, +)
    let now = monotonicSeconds()
    if newest != lastReadingSeconds || newest == 0 {
      lastReadingSeconds = newest
      let before = following
      tracker.follow(heard(readings + hints), sentinels: heard(fromSentinels: watchers))
      wake(whoWasDownIn: before)
      let wanted = update(now)
      for node in leave(allBut: wanted, now) { await node.stop() }
      meet(wanted)
      listen(to: sentinelAdmission.confirmed.intersection(sentinels.keys))
      let wall = wallClockSeconds()
      noteClients()
      observe(watchers.filter { sentinelAdmission.confirmed.contains($0.address) })
      observe(told, atSeconds: wall)
      tell(told, atSeconds: wall)
      let objectives = config.objectives(at: Timestamp(epochMs: Int64(clamping: wall * 1000)))
      tracker.note(readings, own: own, objectives, atSeconds: now)
      // Judging a large workload costs as much as its polls: less often then.
      if now - lastPublishSeconds >= min(Self.publishSeconds, Double(members.count) / 200) { await judge(now) }
    } else if now - lastPublishSeconds >= Self.publishSeconds {
      await judge(now)
    }
    finishStories(atSeconds: wallClockSeconds())
    lookClosely(now)
  }

  /// Lets those be tried at once that others find up again: a breaker may still hold them back.
  private func wake(whoWasDownIn before: Following) {
    let down = Set(before.listings.filter { $0.isUp == false }.map(\.address))
    for listing in following.listings where listing.isUp == true && down.contains(listing.address) {
      members[listing.address]?.schedule.wake()
    }
  }

  /// Polls faster while something is wrong or under way, but not for ever: a member may be dead for days.
  private func lookClosely(_ now: Double) {
    guard following.isTroubled || isFailoverUnderWay, now - lastCloseLookSeconds >= Self.closeLookSeconds,
      closeLooks.take(atSeconds: now)
    else { return }
    lastCloseLookSeconds = now
    pollNow()
  }

  private func judge(_ now: Double) async {
    await watchKeys(members.values.map(\.reading), atSeconds: now)
    publish()
  }

  func publish() {
    lastPublishSeconds = monotonicSeconds()
    publish(nowSeconds: lastPublishSeconds)
  }

  /// Polls all members and Sentinels out of turn.
  func pollNow() {
    for node in Array(members.values) + Array(sentinels.values) + Array(scouts.values) { node.pollNow() }
  }

  // MARK: Members

  /// Decides by what the follower made out who is watched.
  private func update(_ now: Double) -> Wanted {
    guard !isStopped else { return Wanted() }
    if !following.listings.isEmpty, !isDiscovered {
      // The seeds that stood in for the members may be known by other addresses now.
      isDiscovered = true
      newsFromSeconds = now + Self.settleSeconds
      roster = Self.roster(factory.context)
    }
    var wanted = Wanted()
    var listings = seeds.map { Roster.Listing($0, isUp: nil, answers: members[$0]?.reading.answers) }
    if isDiscovered { (listings, wanted.scouts) = admit(following.listings, now) }
    roster.forget(following.aliases)
    if !isSettled, now >= newsFromSeconds { settle(now) }
    for change in roster.update(listings, expectedCount: config.expected.nodes, atSeconds: now) { tell(change) }
    wanted.members = Set(roster.members.keys)
    // While nobody answers, the Sentinels known from before are asked as well.
    if config.topology != .static, !members.values.contains(where: { $0.reading.answers != false }) {
      wanted.scouts.formUnion((seeds + archive.addresses("members")).filter { factory.policy.refusal(of: $0) == nil })
    }
    wanted.scouts.subtract(wanted.members)
    wanted.sentinels = admitSentinels(now)
    let wall = wallClockSeconds()
    if isDiscovered, !following.listings.isEmpty {
      archive.keep(wanted.members.filter { isTrusted($0) }, as: "members", atSeconds: wall)
    }
    if following.sentinelView.map({ $0.answeringCount > 0 }) == true {
      archive.keep(Array(sentinelAdmission.confirmed), as: "sentinels", atSeconds: wall)
    }
    return wanted
  }
}
