import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// The key watches of one workload: a walker for each shard, and on the workload's page what they found, taken together.
actor KeyWatch {
  private struct Watch {
    let walker: KeyWalker
    let streams: StreamWatcher?
  }

  private let plan: WatchPlan
  private let topology: Topology
  private let dutyRatio: Double
  private let context: ConnectionContext
  private let log: Logger
  private let publish: @Sendable (Samples) -> Void
  private var readers = ShardReaders()
  private var watches: [Int: Watch] = [:]
  private var places: [NodeAddress: (place: KeyPlace, node: Node)] = [:]

  /// A walk that ended longer ago than this tells nothing any more, unless walks take that long.
  static let staleSeconds = 300.0
  /// Series of streams that a workload may have.
  static let seriesLimit = 10_000

  /// - Parameter publish: is handed what was found, without the workload's labels.
  /// - Returns: nil where nothing is watched.
  init?(
    _ config: WorkloadConfig, context: FleetContext, log: Logger, publish: @escaping @Sendable (Samples) -> Void
  ) {
    guard !config.watches.areAllOff else { return nil }
    topology = config.topology
    plan = WatchPlan(config.watches, isCluster: config.topology == .cluster)
    dutyRatio = context.keyDutyRatio
    self.context = context.connections
    self.log = log
    self.publish = publish
  }

  /// Brings the walkers in line with the shards as they are now, and shows what they have found.
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
    for (id, watch) in watches where !ids.contains(id) {
      watches[id] = nil
      await Self.stop(watch)
    }
    for shard in readers.shards { await watch(shard, members) }
    show()
    return reading
  }

  private func watch(_ shard: ShardReaders.Shard, _ members: [NodeAddress: WatchedNode]) async {
    let watch = watches[shard.id] ?? newWatch()
    watches[shard.id] = watch
    let reader = shard.reader.flatMap { place($0, members) }
    // A master has clients to serve.
    await reader?.link.limit(dutyRatio: shard.reader == shard.master ? dutyRatio / 2 : dutyRatio)
    await watch.walker.aim(at: plan.walks.isEmpty ? nil : reader)
    guard let streams = watch.streams else { return }
    let master = shard.master.flatMap { place($0, members) }
    await master?.link.limit(dutyRatio: dutyRatio / 2)
    await streams.aim(at: master, names: plan.namedStreams.union(watch.walker.newest?.streams ?? []))
  }

  private func newWatch() -> Watch {
    Watch(
      walker: KeyWalker(plan, log: log),
      streams: plan.watches.streams.isOn ? StreamWatcher(plan.watches, log: log) : nil)
  }

  private func place(_ address: NodeAddress, _ members: [NodeAddress: WatchedNode]) -> KeyPlace? {
    if let known = places[address] { return known.place }
    guard let member = members[address] else { return nil }
    let place = KeyPlace(member, isCluster: topology == .cluster, dutyRatio: dutyRatio, context: context)
    places[address] = (place, member.node)
    return place
  }

  private static func stop(_ watch: Watch) async {
    await watch.walker.stop()
    await watch.streams?.stop()
  }

  /// Ends everything at once, whatever is under way.
  func stop() async {
    for watch in watches.values { await Self.stop(watch) }
    for entry in places.values { await entry.place.link.stop() }
    (watches, places) = ([:], [:])
  }

  /// Takes note that credentials or permissions may have changed.
  func reset() async {
    for entry in places.values { await entry.place.link.reset() }
  }

  // MARK: What was found

  private func summary(atSeconds now: Double) -> WatchSummary? {
    // Before anybody was found there is nothing to say.
    guard !plan.walks.isEmpty, !readers.shards.isEmpty else { return nil }
    let interval = plan.watches.interval.seconds
    let findings = readers.shards.map { shard -> WatchFindings? in
      guard let found = watches[shard.id]?.walker.newest else { return nil }
      let patience = max(Self.staleSeconds, 3 * (interval + found.tookSeconds))
      return now - found.endedSeconds > patience ? nil : found
    }
    return WatchSummary(findings, plan.watches.circuits)
  }

  /// What was read of each shard's streams, in the order of their names.
  private func streams(of shard: ShardReaders.Shard) -> [WatchedStream] {
    let readings = watches[shard.id]?.streams?.newest ?? []
    return readings.flatMap { reading in
      reading.reports.map {
        WatchedStream(database: reading.database, report: $0, nowMilliseconds: reading.nowMilliseconds)
      }
    }.sorted { $0.name < $1.name }
  }

  private func show() {
    var sink = SampleSink(limit: Self.seriesLimit)
    let summary = summary(atSeconds: wallClockSeconds())
    summary?.add(into: &sink)
    if plan.watches.streams.isOn {
      var omittedCount = summary?.omittedStreamCount ?? 0
      if topology == .static {
        // Independent servers may have streams of the same name.
        for shard in readers.shards {
          guard let place = shard.master.flatMap({ places[$0]?.place }) else { continue }
          var own = SampleSink(limit: Self.seriesLimit)
          for stream in streams(of: shard) { stream.add(into: &own) }
          place.publishStreams(own.finish())
        }
      } else {
        let all = readers.shards.flatMap { streams(of: $0) }
        omittedCount += max(0, all.count - plan.watches.streams.maxStreams)
        for stream in all.sorted(by: { $0.name < $1.name }).prefix(plan.watches.streams.maxStreams) {
          stream.add(into: &sink)
        }
      }
      sink.add(WatchFamilies.omitted, Double(omittedCount), "streams")
    }
    publish(sink.finish())
  }

  /// What was found, as it is known now.
  var reading: KeyReading {
    KeyReading(
      summary: summary(atSeconds: wallClockSeconds()), streams: readers.shards.flatMap { streams(of: $0) })
  }
}
