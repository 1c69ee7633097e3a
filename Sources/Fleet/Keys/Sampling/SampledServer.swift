import NIOCore
import Redis

/// A server whose keys are sampled: one, or a node of a cluster.
struct KeySampleSource: Sendable {
  let place: KeyPlace
  /// nil where it is the place's own target.
  let node: Endpoint?
  /// For people.
  let name: String
  var isMaster = false
  /// Of the slots of its shard, a hash; nil without a cluster, and where they are not known.
  var slots: Int?
  /// Who looks at every key there; nil where nobody does.
  var census: ShardCensus?
  /// What it knows by name; nil where nobody looks at every key.
  var certain: CertainKeys?

  init(place: KeyPlace, node: Endpoint?, name: String) { (self.place, self.node, self.name) = (place, node, name) }
}

/// What a server says of itself that decides about a sample, before or after it.
struct SampledServer: Sendable {
  let facts: ServerFacts
  /// Bytes that the server counts as keys and values; nil where it does not say.
  let datasetBytes: Double?
  /// maxmemory; nil where it has none, or does not say.
  let maxBytes: Double?
  /// Keys of each database that has some.
  let keyCounts: [Int: Double]
  /// How often all keys of a database were deleted.
  let flushCount: Double
  /// nil where INFO names no role.
  let replication: ReplicationFacts?
  /// Since a replica last heard of its master.
  private let silentSeconds: Double

  private static let sections = ["server", "replication", "cluster", "memory", "keyspace", "commandstats"]

  /// - Throws: ``RedisError``, also where the server does not tell how many keys it has.
  static func read(_ source: KeySampleSource) async throws(RedisError) -> SampledServer {
    let replies = try await source.place.link.send(sections.map { ["INFO", $0] }, to: source.node)
    let texts = replies.compactMap { $0.flatMap { $0.isError ? nil : $0.bytes } }
    guard !texts.isEmpty else { throw RedisError(.permission, "the server refuses INFO") }
    let info = InfoText(bytes: Array(texts.joined(separator: "\r\n".utf8)))
    guard let counts = KeyServer.keyCounts(info) else {
      throw RedisError(.protocol, "the server does not say how many keys it has (INFO keyspace)")
    }
    return SampledServer(info, keyCounts: counts)
  }

  init(_ info: InfoText, keyCounts: [Int: Double]) {
    facts = ServerFacts(info)
    datasetBytes = info.double("used_memory_dataset")
    maxBytes = info.double("maxmemory").flatMap { $0 > 0 ? $0 : nil }
    self.keyCounts = keyCounts
    flushCount = ["cmdstat_flushall", "cmdstat_flushdb"].reduce(0) { sum, name in
      let calls = info[name].flatMap { InfoPairs($0).first { $0.key.elementsEqual("calls".utf8) } }
      return sum + (calls.flatMap { parseDouble($0.value) } ?? 0)
    }
    replication = ReplicationFacts(info)
    silentSeconds = info.double("master_last_io_seconds_ago") ?? 0
  }

  /// Whether it is a replica that has all keys and keeps up with its master.
  var isFitReplica: Bool {
    guard let replication, replication.role.follows, replication.isLinkUp == true, !replication.isSyncing else {
      return false
    }
    return silentSeconds <= ShardReaders.lagLimitSeconds
  }

  /// Why what was sampled since `earlier` must not be used; nil where it may.
  func invalidity(since earlier: SampledServer) -> String? {
    if facts.runID != earlier.facts.runID { return "the server was restarted meanwhile" }
    if facts.role != earlier.facts.role {
      return "the server became a \(facts.role == "master" ? "master" : "replica")"
    }
    if flushCount > earlier.flushCount { return "keys were flushed meanwhile" }
    let halved = earlier.keyCounts.contains { keyCounts[$0.key, default: 0] * 2 < $0.value && $0.value > 1000 }
    return halved ? "more than half of the keys went away meanwhile" : nil
  }
}
