import Redis
import Runtime

/// What one poll says of a server as a member of a topology: small, so that a fleet's facts fit into memory.
struct MemberFacts: Sendable, Equatable {
  /// What a Sentinel says of the master that it was asked about.
  struct SentinelFacts: Sendable, Equatable {
    /// Its id among Sentinels; nil before 6.2.
    let id: String?
    let master: MonitoredMaster?
    let replicas: [MonitoredReplica]
    let peers: [PeerSentinel]
    let quorum: QuorumCheck
  }

  struct Memory: Sendable, Equatable {
    /// nil where INFO does not tell.
    var usedBytes: Int?
    /// Replication and AOF buffers, which Redis leaves out when it decides on evictions (`mem_not_counted_for_evict`).
    var uncountedBytes = 0
    /// 0 for no limit; nil where INFO does not tell.
    var maxBytes: Int?
    /// nil where INFO does not tell.
    var policy: String?

    /// The share of `maxmemory` that is used as Redis counts for evictions (evict.c, getMaxmemoryState); nil with no limit.
    var usedRatio: Double? {
      guard let usedBytes, let maxBytes, maxBytes > 0 else { return nil }
      return Double(max(0, usedBytes - uncountedBytes)) / Double(maxBytes)
    }
  }

  var server: ServerFacts
  /// nil for a Sentinel.
  var replication: ReplicationFacts?
  var persistence: PersistenceFacts
  var memory: Memory
  /// nil where INFO does not describe the machine.
  var fork: ForkHeadroom?
  /// Since the start or CONFIG RESETSTAT.
  var keyspaceHits: Int
  var keyspaceMisses: Int
  /// nil where CONFIG cannot be read.
  var config: ConfigDigest?
  /// nil for everything but a cluster node that answered CLUSTER NODES.
  var cluster: ClusterNodes?
  /// Those that it takes part in or remembers; nil where it does not tell.
  var slotMigrations: [SlotMigration]?
  /// nil where CLUSTER INFO cannot be read.
  var clusterMessages: ClusterTestimony.Messages?
  /// What a Sentinel says of the master that matters here; nil for everything else.
  var sentinel: SentinelFacts?
  /// What it says of all masters that it is asked about, by name.
  var masters: [String: SentinelFacts]
  var connectedClients: Int
  /// The most that it lets in; nil where INFO does not tell.
  var maxClients: Int?
  /// Commands per second, by the server's own count of the last moments; nil where INFO does not tell.
  var operationsPerSecond: Double?
  /// Keys evicted over the server's life; nil where INFO does not tell.
  var evictedCount: Int?
  /// nil where none are paused, or INFO does not tell.
  var pause: ClientPause?
  /// Connections that were turned away at `maxclients`, over the server's life.
  var rejectedCount: Int
  /// Calls of FLUSHALL and FLUSHDB over the server's life.
  var flushCount: Int
  var mix: CommandMix
  var counts: ServerCounts
  /// How long the event loop was busy since the start or CONFIG RESETSTAT (`eventloop_duration_sum`); nil before 7.2.
  var eventLoopMicroseconds: Double?
  /// The calls of all commands that do not wait by design; nil where LATENCY HISTOGRAM was not answered.
  var latency: CommandLatency?
  /// `latency-monitor-threshold` in milliseconds; nil where CONFIG cannot be read or has no such setting.
  var latencyMonitorMilliseconds: Int?
  /// The server's clock less the daemon's, in seconds; nil where it does not tell.
  var clockOffsetSeconds: Double?

  /// - Parameters:
  ///   - replies: those to ``MembershipCollector``; empty when there are none.
  ///   - masterNames: the masters that a Sentinel was asked about, in the order of the replies.
  init(
    _ info: InfoText, config: ServerConfig?, replies: [Reply], masterNames: [String] = [], server: ServerFacts,
    now: WallTime
  ) {
    func setting(_ key: String) -> String? { config?[key].map { String(foreign: $0) } }
    self.server = server
    replication = server.mode == .sentinel ? nil : ReplicationFacts(info)
    persistence = PersistenceFacts(info, appendFsync: setting("appendfsync"), save: setting("save"))
    memory = Memory(
      usedBytes: info.integer("used_memory"), uncountedBytes: info.integer("mem_not_counted_for_evict") ?? 0,
      maxBytes: info.integer("maxmemory"), policy: info.text("maxmemory_policy"))
    fork = ForkHeadroom(info)
    keyspaceHits = max(0, info.integer("keyspace_hits") ?? 0)
    keyspaceMisses = max(0, info.integer("keyspace_misses") ?? 0)
    self.config = config.map { ConfigDigest($0) }
    cluster = nil
    sentinel = nil
    masters = [:]
    pause = ClientPause(info)
    connectedClients = info.integer("connected_clients") ?? 0
    maxClients = info.integer("maxclients")
    operationsPerSecond = info.finite("instantaneous_ops_per_sec").map { max(0, $0) }
    evictedCount = info.integer("evicted_keys")
    rejectedCount = max(0, info.integer("rejected_connections") ?? 0)
    counts = ServerCounts(info)
    flushCount = Self.calls("cmdstat_flushall", info) + Self.calls("cmdstat_flushdb", info)
    mix = CommandMix(info, version: server.version)
    eventLoopMicroseconds = info.finite("eventloop_duration_sum")
    latencyMonitorMilliseconds = config?["latency-monitor-threshold"].flatMap { parseInteger($0) }
    clockOffsetSeconds = info.serverSeconds.map { $0 - now.seconds }
    switch server.mode {
    case .cluster: cluster = replies.first.flatMap { $0.kind == .string ? $0.bytes : nil }.map { ClusterNodes($0) }
    case .sentinel where replies.count == 1 + 4 * masterNames.count:
      for (index, name) in masterNames.enumerated() {
        masters[name] = SentinelFacts(id: replies[0], about: Array(replies[(1 + 4 * index)..<(5 + 4 * index)]))
      }
      sentinel = masterNames.first.flatMap { masters[$0] }
    case .sentinel, .standalone: break
    }
  }

  /// The same with what a Sentinel says of this master.
  func about(_ masterName: String) -> MemberFacts {
    var facts = self
    facts.sentinel = masters[masterName]
    return facts
  }

  /// `cmdstat_flushall:calls=1,usec=…`
  private static func calls(_ field: String, _ info: InfoText) -> Int {
    let pair = info[field].flatMap { InfoPairs($0).first { $0.key.elementsEqual("calls".utf8) } }
    return pair.flatMap { parseInteger($0.value) } ?? 0
  }
}

extension MemberFacts.SentinelFacts {
  /// - Parameter replies: to SENTINEL MASTER, SLAVES, SENTINELS and CKQUORUM.
  init(id: Reply, about replies: [Reply]) {
    self.init(
      id: id.isError ? nil : id.text, master: MonitoredMaster(replies[0]),
      replicas: replies[1].instances { MonitoredReplica($0) } ?? [],
      peers: replies[2].instances { PeerSentinel($0) } ?? [], quorum: QuorumCheck(replies[3]))
  }
}

extension InfoText {
  /// A number to judge by; nil for `inf` and `nan` too.
  func finite(_ name: String) -> Double? { double(name).flatMap { $0.isFinite ? $0 : nil } }

  /// The server's own clock, Unix time; nil where it does not tell (before 7) or tells what no clock shows.
  var serverSeconds: Double? {
    finite("server_time_usec").map { $0 / 1e6 }.flatMap { (0..<1e11).contains($0) ? $0 : nil }
  }
}
