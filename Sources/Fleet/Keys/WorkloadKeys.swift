import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// The watches over the keys of one workload: for each shard a scan of a replica that keeps up, and one of the master for
/// what a replica does not know; on the workload's page what they found, taken together.
actor WorkloadKeys {
  private struct Scans {
    let finder: KeyScan
    /// nil where nothing is asked of masters.
    let reader: KeyScan?
  }

  private let watches: [any KeyWatch]
  private let options: KeyScanOptions
  private let topology: Topology
  private let dutyRatio: Double
  private let context: ConnectionContext
  private let log: Logger
  private let publish: @Sendable (Samples) -> Void
  /// nil where keys are not sampled.
  private let sampler: KeyspaceSampler?
  private var readers = ShardReaders()
  private var scans: [Int: Scans] = [:]
  private var places: [NodeAddress: (place: KeyPlace, node: Node)] = [:]
  /// nil without Redlock.
  private var splits: SplitLocks?
  private var events = WatchEvents()
  /// nil where walks alone look for keys.
  private let following: WorkloadFollowing?

  /// What a reader of a master found is dropped when it has not ended for so long.
  static let readerStaleSeconds = 60.0
  /// Series that the watches of a workload may have.
  static let seriesLimit = 10_000

  /// - Parameters:
  ///   - publish: is handed what was found, without the workload's labels.
  ///   - publishSample: the same of what a sample of the keys says.
  /// - Returns: nil where nothing is watched.
  init?(
    _ config: WorkloadConfig, context: FleetContext, log: Logger, publish: @escaping @Sendable (Samples) -> Void,
    publishSample: @escaping @Sendable (Samples) -> Void = { _ in }
  ) {
    var watches = config.watches.keyWatches
    let sampler = config.keyspace.flatMap { keyspace in
      keyspace.isEnabled
        ? KeyspaceSampler(
          keyspace, workload: config.name, room: context.keyspaceRoom, log: log, publish: publishSample) : nil
    }
    guard !watches.isEmpty || sampler != nil else { return nil }
    self.sampler = sampler
    if let redlock = config.redlock {
      let locks = watches.compactMap { $0 as? LockWatch }.flatMap(\.globs)
      if !locks.isEmpty { watches.append(RedlockWatch(globs: locks)) }
      splits = SplitLocks(redlock, serverCount: config.seeds.count)
    }
    self.watches = watches
    following = WorkloadFollowing(config.watches, context: context.connections, log: log)
    topology = config.topology
    var options = KeyScanOptions()
    options.intervalSeconds = config.watches.interval.seconds
    options.isOfWorkload = true
    options.isClusterNode = config.topology == .cluster
    self.options = options
    dutyRatio = context.keyDutyRatio
    self.context = context.connections
    self.log = log
    self.publish = publish
  }

  /// Brings the scans in line with the shards as they are now, and shows what they have found.
  ///
  /// - Returns: the same for checks.
  func update(
    _ groups: [ReplicationGroup], _ candidates: [NodeAddress: ShardReaders.Candidate],
    members: [NodeAddress: WatchedNode]
  ) async -> KeyReading {
    readers.update(groups, candidates)
    for (address, entry) in places where members[address]?.node !== entry.node {
      places[address] = nil
      await entry.place.link.stop()
    }
    let ids = Set(readers.shards.map(\.id))
    for (id, one) in scans where !ids.contains(id) {
      scans[id] = nil
      await Self.stop(one)
    }
    for shard in readers.shards { await scan(shard, members) }
    await follow(members)
    await sampler?.aim(at: sources(members))
    findSplits()
    for shard in readers.shards {
      for run in scans[shard.id]?.finder.newest.walk?.runs ?? [] {
        events.note(run.eventCount, of: run.name, shard: shard.id)
      }
    }
    show()
    return reading
  }

  private func scan(_ shard: ShardReaders.Shard, _ members: [NodeAddress: WatchedNode]) async {
    let own = scans[shard.id] ?? newScans()
    scans[shard.id] = own
    let place = shard.reader.flatMap { self.place($0, members) }
    // A master has clients to serve.
    await place?.link.limit(dutyRatio: shard.reader == shard.master ? dutyRatio / 2 : dutyRatio)
    await own.finder.aim(at: place)
    guard let reader = own.reader else { return }
    let master = shard.master.flatMap { self.place($0, members) }
    await master?.link.limit(dutyRatio: dutyRatio / 2)
    let found = own.finder.newest.walk
    var names: [String: Set<KeyName>] = [:]
    for watch in watches where watch.isReadOnMaster {
      let own = (found?.run(of: watch.name) as? RunOf<KeySearch>)?.findings.names ?? []
      if !own.isEmpty { names[watch.name] = own }
    }
    await reader.aim(at: master, names: names)
  }

  private func follow(_ members: [NodeAddress: WatchedNode]) async {
    await following?.update(readers.shards, members, dutyRatio: dutyRatio, isCluster: topology == .cluster) {
      place($0, members)
    }
  }

  /// Who is sampled of each shard; nil of those where nobody can be read.
  private func sources(_ members: [NodeAddress: WatchedNode]) -> [(shard: Int, source: KeySampleSource?)] {
    readers.shards.map { shard in
      guard let address = shard.reader, let place = place(address, members) else { return (shard.id, nil) }
      let member = members[address]
      var source = KeySampleSource(place: place, node: nil, name: member?.instance ?? place.name)
      source.isMaster = address == shard.master
      source.slots = member?.reading.facts?.cluster?.ownSlotsHash
      return (shard.id, source)
    }
  }

  private func newScans() -> Scans {
    var walking = options
    walking.hasWalk = hasWalk
    let show: @Sendable (KeyPlace, KeyResults) -> Void = { place, _ in place.publish(place.samples, "keys") }
    let read = watches.filter(\.isReadOnMaster)
    var reading = options
    reading.staleSeconds = Self.readerStaleSeconds
    return Scans(
      finder: KeyScan(watches.map { $0.isReadOnMaster ? $0.search : $0 }, walking, log: log, show: show),
      reader: read.isEmpty ? nil : KeyScan(read, reading, log: log, show: show))
  }

  private var hasWalk: Bool { watches.contains { !$0.globs.isEmpty || $0.meetsEveryKey } }

  private func place(_ address: NodeAddress, _ members: [NodeAddress: WatchedNode]) -> KeyPlace? {
    if let known = places[address] { return known.place }
    guard let member = members[address] else { return nil }
    let place = KeyPlace(member, isCluster: topology == .cluster, dutyRatio: dutyRatio, context: context)
    places[address] = (place, member.node)
    return place
  }

  private static func stop(_ scans: Scans) async {
    await scans.finder.stop()
    await scans.reader?.stop()
  }

  /// Ends everything at once, whatever is under way.
  func stop() async {
    await sampler?.stop()
    await following?.stop()
    for one in scans.values { await Self.stop(one) }
    for entry in places.values { await entry.place.link.stop() }
    (scans, places) = ([:], [:])
  }

  /// Takes note that credentials or permissions may have changed.
  func reset() async {
    for entry in places.values { await entry.place.link.reset() }
    await following?.reset()
  }

  // MARK: What was found

  /// What samples say; nil where keys are not sampled.
  nonisolated func keyspace(at now: WallTime) -> KeyspaceOverview? { sampler?.overview(at: now) }

  /// What is known of one shard.
  private struct Shard {
    let master: NodeAddress?
    let found: KeyResults?
    let read: KeyResults?
    /// What is newer than the walk.
    let followed: FollowReading

    func runs(of watch: any KeyWatch) -> [any WatchRun] {
      let passes = watch.isReadOnMaster ? [read?.byName] : [found?.byName, found?.walk]
      return passes.compactMap { $0 }.compactMap { pass in
        pass.run(of: watch.name).map { followed.overlay($0, began: pass.beganSeconds, at: NIODeadline.now().seconds) }
      }
    }

    /// What its servers refuse the watch, as an ACL names it.
    func refused(to watch: any KeyWatch) -> Set<String> {
      let isByNameOnly = watch.globs.isEmpty && !watch.meetsEveryKey
      let walk = isByNameOnly ? nil : found?.refusedWalk
      return runs(of: watch).reduce(into: Set([walk].compactMap { $0 })) { $0.formUnion($1.refused) }
    }

    /// Keys that were not even met.
    func unmetCount(of watch: any KeyWatch) -> Int {
      watch.isReadOnMaster ? found?.walk?.run(of: watch.name)?.omittedCount ?? 0 : 0
    }
  }

  private var shards: [Shard] {
    readers.shards.map { shard in
      Shard(
        master: shard.master, found: scans[shard.id]?.finder.newest, read: scans[shard.id]?.reader?.newest,
        followed: following?.reading(of: shard.id) ?? FollowReading())
    }
  }

  private static func summary(of watch: any KeyWatch, _ shards: [Shard]) -> (any KeyFindings)? {
    let runs = shards.flatMap { $0.runs(of: watch) }
    return runs.first?.summary(with: Array(runs.dropFirst()))
  }

  private func findSplits() {
    let shards = shards
    let walks = shards.compactMap { $0.found?.walk }
    guard splits != nil, let redlock = watches.first(where: { $0 is RedlockWatch }),
      let found = Self.summary(of: redlock, shards) as? RedlockWatch.Summary,
      let began = walks.map({ $0.ended - $0.tookSeconds }).min(), let ended = walks.map(\.ended).max()
    else { return }
    splits?.note(found, began: began, ended: ended)
  }

  private func show() {
    let shards = shards
    var sink = SampleSink(limit: Self.seriesLimit)
    // Before anybody was found there is nothing to say.
    if hasWalk, !shards.isEmpty { Self.add(walksOf: shards, to: &sink) }
    for watch in watches {
      // Independent servers may have keys of the same name.
      let isByServer = watch.hasSeriesByServer && topology.isIndependent
      let summaries = isByServer ? shards.map { Self.summary(of: watch, [$0]) } : [Self.summary(of: watch, shards)]
      var known = summaries.compactMap { $0 }.filter(\.isKnown)
      guard !known.isEmpty else { continue }
      known[0].eventCount = events.count(of: watch.name)
      if !isByServer { watch.add(any: known[0], to: &sink) }
      let omittedCount = known.reduce(0) { $0 + $1.omittedCount } + shards.reduce(0) { $0 + $1.unmetCount(of: watch) }
      sink.add(KeyWatchFamilies.omitted, Double(omittedCount), .text(watch.name))
      if let ratio = known.compactMap(\.sampledRatio).min() {
        sink.add(KeyWatchFamilies.sampledRatio, ratio, .text(watch.name))
      }
    }
    followed?.add(to: &sink)
    publish(sink.finish())
    if topology.isIndependent { showByServer(shards) }
  }

  private func showByServer(_ shards: [Shard]) {
    let watches = watches.filter(\.hasSeriesByServer)
    guard !watches.isEmpty else { return }
    for shard in shards {
      guard let place = shard.master.flatMap({ places[$0]?.place }) else { continue }
      var sink = SampleSink(limit: Self.seriesLimit)
      for watch in watches {
        if let summary = Self.summary(of: watch, [shard]) { watch.add(any: summary, to: &sink) }
      }
      place.publish(sink.finish(), "key watches")
    }
  }

  private static func add(walksOf shards: [Shard], to sink: inout SampleSink) {
    let walks = shards.compactMap { $0.found?.walk }
    sink.add(KeyWatchFamilies.unknownShards, Double(shards.count - walks.count))
    if let oldest = walks.map(\.ended).min() { sink.add(KeyWatchFamilies.walkTimestamp, oldest.seconds) }
    let firstCount = shards.count { $0.found?.firstWalk.isUnderWay(at: .now()) == true }
    sink.add(KeyWatchFamilies.firstWalks, Double(firstCount))
    if let longest = walks.map(\.tookSeconds).max() { sink.add(KeyWatchFamilies.walkSeconds, longest) }
  }

  private var followed: FollowOverview? { following?.overview(at: NIODeadline.now().seconds) }

  /// What was found, as it is known now.
  var reading: KeyReading {
    let shards = shards
    let refused = watches.map { watch in
      (watch.blockName, shards.reduce(into: Set<String>()) { $0.formUnion($1.refused(to: watch)) })
    }
    let sample = sampler?.newest?.fresh(at: .now)?.report.estimate
    return KeyReading(
      watches.compactMap { Self.summary(of: $0, shards) }.filter(\.isKnown),
      refused: Dictionary(refused, uniquingKeysWith: { $0.union($1) }), splitLockCount: splits?.count,
      lives: sample?.lives, ttlCrowdingRatio: sample?.crowdingRatio,
      census: sampler?.census(at: .now).map { CensusReading($0) }, followed: followed)
  }
}

/// What watches count one by one, over all shards: it does not fall when a shard goes, or is walked over for the first time.
struct WatchEvents: Sendable {
  private var counts: [String: Int] = [:]
  /// By watch and shard, what was counted there so far.
  private var seen: [String: [Int: Int]] = [:]

  /// - Parameter count: since the first walk over the shard.
  mutating func note(_ count: Int, of watch: String, shard: Int) {
    let known = seen[watch]?[shard] ?? 0
    counts[watch, default: 0] += count >= known ? count - known : count
    seen[watch, default: [:]][shard] = count
  }

  func count(of watch: String) -> Int { counts[watch] ?? 0 }
}

/// What the watches over a workload's keys have found, for checks.
struct KeyReading: Sendable {
  private let summaries: [any KeyFindings]
  /// By watch, what some server refuses it, as an ACL names it.
  private let refused: [String: Set<String>]
  /// nil without Redlock, and while it is not known.
  let splitLockCount: Int?
  /// How keys live, by the newest sample; nil where that is not known.
  let lives: KeyLives?
  /// Share of the keys with a TTL that expire in the fullest second, by the same.
  let ttlCrowdingRatio: Double?
  /// What passes over every key found; nil where none are made.
  let census: CensusReading?
  /// What servers named as it changed; nil where they are not asked to.
  let followed: FollowOverview?

  init(
    _ summaries: [any KeyFindings], refused: [String: Set<String>] = [:], splitLockCount: Int? = nil,
    lives: KeyLives? = nil, ttlCrowdingRatio: Double? = nil, census: CensusReading? = nil,
    followed: FollowOverview? = nil
  ) {
    (self.summaries, self.refused, self.splitLockCount) = (summaries, refused, splitLockCount)
    (self.lives, self.ttlCrowdingRatio) = (lives, ttlCrowdingRatio)
    (self.census, self.followed) = (census, followed)
  }

  static let none = KeyReading([])

  /// What watches of this kind found; none where nothing is known.
  func found<Watch: KeyWatch>(by kind: Watch.Type) -> [Watch.Summary] { summaries.compactMap { $0 as? Watch.Summary } }

  /// What some server refuses watches of this kind, as an ACL names it.
  func refused(to kind: (some ConfiguredWatch).Type) -> Set<String> { refused[kind.block] ?? [] }
}

/// The families of all watches over the keys of a workload. They belong to it, whichever member was read.
enum KeyWatchFamilies {
  static let omitted = Family.gauge(
    "key_watch_omitted",
    "Keys or services that a watch left out, because there were too many or they cannot be read; 0 if none.",
    labels: ["watch"])
  static let sampledRatio = Family.gauge(
    "key_watch_sampled_ratio",
    "Share of the matching keys that a watch looks at, the same at each walk; below 1 where there are more than its max_keys.",
    labels: ["watch"], unit: .ratio)
  static let walkTimestamp = Family.gauge(
    "key_watch_last_walk_timestamp_seconds",
    "Time when the last complete walk over the keys ended, in seconds since the epoch, for the shard whose walk is the oldest.",
    unit: .seconds)
  static let walkSeconds = Family.gauge(
    "key_watch_walk_seconds",
    "Duration of the last complete walk over the keys, for the shard whose walk took longest.", unit: .seconds)
  static let unknownShards = Family.gauge(
    "key_watch_unknown_shards",
    "Shards without a complete walk: no server there can be read, or the first walk is still running.")

  static let firstWalks = Family.gauge(
    "key_watch_first_walks",
    "Shards whose first walk over the keys is still running, for a day at most; redis_key_watch_unknown_shards counts them, too."
  )

  static var all: [Family] {
    KeyWatchCatalogue.ofWorkloads.flatMap { $0.families }
      + [omitted, sampledRatio, walkTimestamp, walkSeconds, unknownShards, firstWalks] + FollowFamilies.all
  }
}

extension KeyWatch {
  /// Its block in `redline.yml`; its name where it has none.
  fileprivate var blockName: String { (self as? any ConfiguredWatch).map { Swift.type(of: $0).block } ?? name }
}
