import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// What all samplers of the daemon share: few sample at a time, and what they keep has a bound.
actor KeyspaceRoom {
  private let turns = Turns(KeyspaceRoom.sampleCount)
  private let censusTurns = Turns(KeyspaceRoom.censusCount)
  private var held: [String: Int] = [:]
  private var heldByCensus: [ObjectIdentifier: Int] = [:]

  /// Samples that are under way at a time: one of 100,000 keys takes 12 MB.
  static let sampleCount = 2
  /// Shards whose keys are all looked at at a time: each costs the daemon a hundredth of a core or less.
  static let censusCount = 16
  /// Bytes of panels that all workloads keep together.
  static let panelBytes = 16 << 20
  /// Bytes of large keys that all shards keep together; then each keeps those for the page alone.
  static let censusBytes = 16 << 20

  func take() async { await turns.take() }
  func pass() { turns.pass() }

  /// Whether a workload may keep so many bytes in all.
  func mayHold(_ bytes: Int, _ workload: String) -> Bool {
    let others = held.reduce(0) { $0 + ($1.key == workload ? 0 : $1.value) }
    return others + bytes <= Self.panelBytes
  }

  func note(_ bytes: Int, _ workload: String) { held[workload] = bytes == 0 ? nil : bytes }

  func takeCensus() async { await censusTurns.take() }
  func passCensus() { censusTurns.pass() }

  /// Takes note of what a shard keeps of its large keys.
  ///
  /// - Returns: how many of them it may keep.
  func censusKeyLimit(heldBytes: Int, of shard: ObjectIdentifier) -> Int {
    heldByCensus[shard] = heldBytes
    return heldByCensus.values.reduce(0, +) <= Self.censusBytes ? BigKeyTable.keyLimit : 0
  }

  func release(_ shard: ObjectIdentifier) { heldByCensus[shard] = nil }
}

/// Samples the keys of one workload, again and again: all its shards together, each on the server that is read for the watches.
actor KeyspaceSampler {
  private let config: KeyspaceConfig
  private let workload: String
  private let room: KeyspaceRoom
  private let complaints: ComplaintLog
  private let log: Logger
  private let publish: @Sendable (Samples) -> Void
  private var tracker: KeyspaceTracker
  private let census: WorkloadCensus
  private nonisolated let censuses = Lock<[(server: String, census: ShardCensus)]>([])
  private var shownAt = NIODeadline.uptimeNanoseconds(0)
  /// nil while of some shard nobody can be read.
  private var sources: [KeySampleSource]?
  private var task: Task<Void, Never>?
  private var isStopped = false
  private nonisolated let box = Lock<KeyspaceTracker?>(nil)
  private nonisolated let turn = Lock(KeyspaceOverview.Turn.unknown)

  /// - Parameter publish: is handed what is known whenever that changes, without the workload's labels.
  init(
    _ config: KeyspaceConfig, workload: String, room: KeyspaceRoom, log: Logger,
    publish: @escaping @Sendable (Samples) -> Void
  ) {
    (self.config, self.workload, self.room, self.log, self.publish) = (config, workload, room, log, publish)
    complaints = ComplaintLog(log)
    tracker = KeyspaceTracker(config)
    census = WorkloadCensus(config, room: room, log: log)
  }

  /// What is known now.
  nonisolated var newest: KeyspaceTracker? { box.withLock { $0 } }

  /// The same for pages.
  nonisolated func overview(at now: WallTime) -> KeyspaceOverview {
    KeyspaceOverview(config, newest, turn.withLock { $0 }, census(at: now), at: now)
  }

  /// What passes over every key found; nil where none are made.
  nonisolated func census(at now: WallTime) -> CensusOverview? {
    guard config.census != .off else { return nil }
    return CensusOverview(config, censuses.withLock { $0 }.map { ($0.server, $0.census.newest) }, at: now)
  }

  /// - Parameter sources: who is read of each shard; nil of those where nobody can be.
  func aim(at sources: [(shard: Int, source: KeySampleSource?)]) async {
    guard !isStopped else { return }
    let known = await census.aim(at: sources)
    censuses.withLock { [all = census.all] in $0 = all }
    self.sources = known.count == sources.count && !known.isEmpty ? known : nil
    if task == nil, !isStopped { task = Task(priority: .utility) { await run() } }
    // What a census found is shown while samples rest.
    if NIODeadline.now() - shownAt >= Self.showInterval { show() }
  }

  private static let showInterval: TimeAmount = .seconds(5)

  func stop() async {
    isStopped = true
    task?.cancel()
    sources = nil
    await census.stop()
    await room.note(0, workload)
  }

  private func run() async {
    // A thousand of them do not begin in step.
    await rest(Double.random(in: 0..<min(Self.firstSeconds, config.interval.seconds / 4)))
    while !Task.isCancelled {
      let began = NIODeadline.now()
      turn.withLock { $0 = .underWay }
      await room.take()
      if !Task.isCancelled { await sample() }
      await room.pass()
      guard !Task.isCancelled else { return }
      show()
      let took = Double((NIODeadline.now() - began).nanoseconds) / 1e9
      let interval = tracker.pause == .noReader ? Self.retrySeconds : config.interval.seconds
      await rest(max(1, interval - took) * Double.random(in: 0.95...1.05))
    }
  }

  private static let firstSeconds = 30.0
  /// When it is looked again whether there is anybody to read.
  private static let retrySeconds = 5.0

  private func rest(_ seconds: Double) async {
    turn.withLock { $0 = .due(WallTime.now + seconds) }
    try? await Task.sleep(for: .seconds(seconds))
  }

  private func sample() async {
    guard var sources, !sources.isEmpty else { return tracker.note(.noReader) }
    var options = KeySampleOptions()
    options.keyCount = config.sampleKeys
    options.separators = config.separators
    options.depth = config.depth
    options.estimate.maxPrefixes = config.maxPrefixes
    options.estimate.horizonSeconds = Int64(clamping: config.expiryHorizon.seconds)
    let (began, beganAt) = (NIODeadline.now(), WallTime.now)
    var deadline = began + .nanoseconds(Int64(clamping: min(config.interval.seconds, Self.longestSeconds) * 1e9))
    for source in sources { await source.place.link.beginPass() }
    let outcome = await self.outcome(&sources, options, at: tracker.starts, until: deadline)
    if Task.isCancelled || isStopped { return await endPass(sources) }
    for source in sources { source.place.publish(source.place.samples, "keys") }
    // A part of the shards is not the workload.
    if let (place, failure) = outcome.failures.first {
      let error = failure.error
      tracker.note(failure.isChange ? .changed : error.errorClass == .permission ? .refused : .failed)
      sources[place].place.cost.errorCount.add(1, error.errorClass.rawValue)
      await endPass(sources)
      return complaints.tell("sample", "keys could not be sampled and are again later", error, at: sources[place].place)
    }
    let took = Double((NIODeadline.now() - began).nanoseconds) / 1e9
    let report = KeyspaceReport(outcome, of: sources, options, beganAt: beganAt, tookSeconds: took)
    let mayKeep = await room.mayHold(tracker.heldBytes + KeyPanel.bytes(keys: config.sampleKeys), workload)
    tracker.note(outcome, report, mayKeep: mayKeep)
    if let starts = tracker.nextStarts {
      // Those of the week to come, for a day: then these, too, have a yesterday to be compared with.
      let beganAt = WallTime.now
      deadline = .now() + .nanoseconds(Int64(clamping: min(config.interval.seconds, Self.longestSeconds) * 1e9))
      let next = await self.outcome(&sources, options, at: starts, until: deadline)
      if Task.isCancelled || isStopped { return await endPass(sources) }
      if next.failures.isEmpty {
        let report = KeyspaceReport(next, of: sources, options, beganAt: beganAt, tookSeconds: took)
        tracker.note(next: next, report, mayKeep: mayKeep)
      }
    }
    await endPass(sources)
    await room.note(tracker.heldBytes, workload)
    complaints.end("sample", "keys are sampled again", at: sources[0].place)
  }

  private func endPass(_ sources: [KeySampleSource]) async {
    for source in sources { await source.place.link.endPass() }
  }

  /// Asks about the large keys that are known, and then looks at a sample of the others.
  private func outcome(
    _ sources: inout [KeySampleSource], _ options: KeySampleOptions, at starts: [String: [UInt64]],
    until deadline: NIODeadline
  ) async -> KeySampleOutcome {
    for place in sources.indices {
      // Where they cannot be asked about now, the sample finds out why.
      sources[place].certain = try? await sources[place].census?.certainKeys(at: sources[place].place)
    }
    var sample = KeySample(sources, options, isEnded: { NIODeadline.now() >= deadline })
    var random = SystemRandomNumberGenerator()
    return await sample.run(at: starts, using: &random)
  }

  private static let longestSeconds = 600.0

  private func show() {
    shownAt = .now()
    var sink = SampleSink(limit: WorkloadKeys.seriesLimit)
    tracker.add(to: &sink, at: .now)
    census(at: .now)?.add(to: &sink)
    box.withLock { [tracker] in $0 = tracker }
    publish(sink.finish())
  }
}
