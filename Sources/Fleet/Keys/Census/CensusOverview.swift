import Config
import Logging
import Metrics
import Runtime

/// What the passes over every key of a workload have found, all shards together.
public struct CensusOverview: Sendable {
  /// One of the largest keys.
  public struct Key: Sendable, Equatable {
    /// The server that was read.
    public let server: String
    public let database: Int
    /// The first bytes of its name.
    public let name: [UInt8]
    /// Bytes of the whole name.
    public let nameCount: Int
    /// 16 hexadecimal digits, the same for as long as the daemon runs.
    public let hash: String
    /// As TYPE names it; empty where that is not known.
    public let type: String
    public let bytes: Double
    /// Whether all elements were counted, and not some for all.
    public let isExact: Bool
    /// Elements of a collection, bytes of a string; nil where that is not known.
    public let elementCount: Int?
    /// nil where it never expires, or that is not known.
    public let expires: WallTime?
    public let neverExpires: Bool
    public let measuredAt: WallTime
    /// Its size as a share of maxmemory of its server; nil without.
    public let maxMemoryRatio: Double?
  }

  /// Where it is taken.
  public let mode: KeyspaceConfig.Census
  public let shardCount: Int
  /// Shards where somebody is read.
  public let aimedCount: Int
  /// Shards where every key was looked at once.
  public let wholeCount: Int
  public let bigKeyBytes: Int
  /// The largest first.
  public let keys: [Key]
  /// Big keys, and what they take; nil until every shard has had a whole pass.
  public let bigCount: Int?
  public let bigKeysBytes: Double?
  /// Of the keys, how many the passes have met that are under way; nil where none is.
  public let progressRatio: Double?
  /// When the oldest of the newest whole passes ended; nil until every shard has had one.
  public let ended: WallTime?
  /// The longest of them.
  public let tookSeconds: Double?
  /// Of the memory of keys, the share of those that never expire; nil where too few were asked.
  public let foreverRatio: Double?
  /// Slots moved during a pass: keys may have been met twice, or never.
  public let isMixed: Bool
  /// Steps that hold names too large to be read.
  public let omittedCount: Int
  /// Why some shard's does not go on.
  public let pause: KeyspaceOverview.Pause?

  init(_ config: KeyspaceConfig, _ shards: [(server: String, result: CensusResult)], at now: WallTime) {
    mode = config.census
    bigKeyBytes = config.bigKeyBytes
    shardCount = shards.count
    let aimed = shards.filter(\.result.isAimed)
    aimedCount = aimed.count
    let whole = aimed.map(\.result).filter { $0.isFresh(at: now) }
    wholeCount = whole.count
    let isWhole = !shards.isEmpty && whole.count == shards.count
    keys = Array(
      aimed.flatMap { shard in
        (shard.result.table?.keys ?? []).map { Key($0, on: shard.server, maxBytes: shard.result.maxBytes) }
      }.sorted { ($1.bytes, $0.hash) < ($0.bytes, $1.hash) }.prefix(config.topCount))
    bigCount = isWhole ? whole.reduce(0) { $0 + ($1.table?.bigCount ?? 0) } : nil
    bigKeysBytes = isWhole ? whole.reduce(0) { $0 + ($1.table?.bigKeysBytes ?? 0) } : nil
    ended = isWhole ? whole.compactMap(\.ended).min() : nil
    tookSeconds = whole.map(\.tookSeconds).max()
    let under = aimed.compactMap(\.result.pass)
    let total = under.reduce(0) { $0 + $1.keyTotal }
    progressRatio =
      under.isEmpty ? nil : total > 0 ? under.reduce(0) { $0 + $1.progressRatio * $1.keyTotal } / total : 1
    var lives = CensusLives()
    for result in whole { lives.add(result.lives) }
    foreverRatio = isWhole ? lives.foreverRatio : nil
    isMixed = whole.contains(where: \.isMixed)
    omittedCount = whole.reduce(0) { $0 + $1.omittedCount }
    pause = aimed.compactMap(\.result.pause).first
  }

  /// The largest key that is no stream, beside maxmemory of its server; nil where none was met, or without maxmemory.
  var largestRatio: Double? { keys.lazy.filter { $0.type != "stream" }.compactMap(\.maxMemoryRatio).max() }

  func add(to sink: inout SampleSink) {
    if let bigCount { sink.add(KeyspaceFamilies.bigKeys, Double(bigCount)) }
    if let bigKeysBytes { sink.add(KeyspaceFamilies.bigKeysMemory, bigKeysBytes) }
    if let largestRatio { sink.add(KeyspaceFamilies.largestKey, largestRatio) }
    if let progressRatio { sink.add(KeyspaceFamilies.censusProgress, progressRatio) }
    if let ended { sink.add(KeyspaceFamilies.censusTimestamp, ended.seconds) }
  }
}

extension CensusOverview.Key {
  init(_ key: BigKey, on server: String, maxBytes: Double?) {
    self.server = server
    (database, name, nameCount, type) = (key.database, key.name, key.nameCount, key.type)
    let digits = String(key.hash, radix: 16)
    hash = String(repeating: "0", count: 16 - digits.count) + digits
    (bytes, isExact, elementCount, measuredAt) = (key.bytes, key.isExact, key.elementCount, key.measuredAt)
    if case .until(let milliseconds) = key.life {
      expires = WallTime(epochMs: milliseconds)
    } else {
      expires = nil
    }
    neverExpires = key.life == .forever
    maxMemoryRatio = maxBytes.map { key.bytes / $0 }
  }
}

/// The passes over every key of a workload, one for each shard.
final class WorkloadCensus {
  private let config: KeyspaceConfig
  private let room: KeyspaceRoom
  private let log: Logger
  private var isStopped = false
  private var shards: [Int: (census: ShardCensus, server: String)] = [:]

  init(_ config: KeyspaceConfig, room: KeyspaceRoom, log: Logger) {
    (self.config, self.room, self.log) = (config, room, log)
  }

  /// - Parameter sources: who is read of each shard; nil of those where nobody can be.
  /// - Returns: the same, with what is known of large keys there.
  nonisolated(nonsending) func aim(at sources: [(shard: Int, source: KeySampleSource?)]) async -> [KeySampleSource] {
    guard config.census != .off, !isStopped else { return sources.compactMap(\.source) }
    let ids = Set(sources.map(\.shard))
    for (id, shard) in shards where !ids.contains(id) {
      shards[id] = nil
      await stop(shard.census)
    }
    var known: [KeySampleSource] = []
    for (id, source) in sources {
      let census = shards[id]?.census ?? ShardCensus(config, room: room, log: log)
      let isWanted = source.map { config.census == .all || !$0.isMaster } ?? false
      shards[id] = (census, source?.name ?? shards[id]?.server ?? "")
      await census.aim(at: isWanted ? source.map { ShardCensus.Target(source: $0, slots: $0.slots) } : nil)
      if var source {
        source.census = isWanted ? census : nil
        known.append(source)
      }
    }
    return known
  }

  nonisolated(nonsending) func stop() async {
    isStopped = true
    for shard in shards.values { await stop(shard.census) }
  }

  private nonisolated(nonsending) func stop(_ census: ShardCensus) async {
    await census.stop()
    await room.release(ObjectIdentifier(census))
  }

  /// In no order.
  var all: [(server: String, census: ShardCensus)] { shards.values.map { ($0.server, $0.census) } }
}
