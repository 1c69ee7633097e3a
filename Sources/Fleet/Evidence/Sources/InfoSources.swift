import Redis
import Runtime

/// Memory, as INFO tells it.
struct MemorySource: EvidenceSource {
  let name = "memory"
  let title = "Memory"
  let summary = "memory in use, its limit, what buffers take of it, evictions"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] { [] }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard reading.server.mode != .sentinel else { return }
    reading.add("used_memory", "memory in use", .bytes)
    // 0 stands for none.
    if reading.facts.numbers["maxmemory"] ?? 0 > 0 { reading.add("maxmemory", "maxmemory", .bytes) }
    reading.add("used_memory_rss", "resident memory", .bytes)
    reading.add("mem_clients_normal", "buffers of clients", .bytes)
    reading.add("mem_clients_slaves", "buffers of replicas", .bytes)
    reading.addRate("evicted_keys", "keys evicted")
    reading.addRate("expired_keys", "keys expired")
    reading.add("instantaneous_ops_per_sec", "commands", .perSecond)
    var lines: [String] = []
    if let used = reading.facts.numbers["used_memory"], let limit = reading.facts.numbers["maxmemory"] {
      let counted = max(0, used - (reading.facts.numbers["mem_not_counted_for_evict"] ?? 0))
      lines.append(
        limit > 0
          ? "\(percent(counted / limit)) of maxmemory \(EvidenceText.bytes(limit)) is in use" : "maxmemory is not set")
    }
    if let policy = reading.facts.words["maxmemory_policy"] { lines.append("policy \(policy)") }
    if let ratio = reading.facts.numbers["mem_fragmentation_ratio"] {
      lines.append("fragmentation ratio \((ratio * 100).rounded() / 100)")
    }
    reading.sections.append(section(lines))
  }
}

/// What is written to disk, as INFO tells it.
struct PersistenceSource: EvidenceSource {
  let name = "persistence"
  let title = "Persistence"
  let summary = "the state of RDB and AOF, forks, delayed fsyncs"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] { [] }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard reading.server.mode != .sentinel else { return }
    let facts = reading.facts
    var lines: [String] = []
    if facts.numbers["loading"] == 1 {
      lines.append("it loads its data\(facts.numbers["loading_eta_seconds"].map { ": \(span($0)) to go" } ?? "")")
    }
    if let status = facts.words["rdb_last_bgsave_status"] {
      let at = facts.numbers["rdb_last_save_time"].map {
        ", the last good one at \(EvidenceText.clock(WallTime(seconds: $0)))"
      }
      lines.append("RDB: last save \(status)\(at ?? "")")
    }
    if facts.numbers["rdb_bgsave_in_progress"] == 1 { lines.append("RDB: a save is under way") }
    if facts.numbers["aof_enabled"] == 1 {
      lines.append("AOF: last write \(facts.words["aof_last_write_status"] ?? "unknown")")
      if facts.numbers["aof_rewrite_in_progress"] == 1 { lines.append("AOF: a rewrite is under way") }
    } else if facts.numbers["aof_enabled"] == 0 {
      lines.append("AOF: off")
    }
    reading.add("rdb_changes_since_last_save", "writes since the last save", .count)
    reading.add("aof_current_size", "size of the AOF", .bytes)
    if let fork = facts.numbers["latest_fork_usec"] {
      reading.figures.append(Evidence.Figure("latest_fork", "last fork", .seconds, fork / 1e6))
    }
    if let delayed = facts.rise("aof_delayed_fsync") {
      reading.figures.append(
        Evidence.Figure("aof_delayed_fsync_rise", "delayed fsyncs, \(facts.pastSpan)", .count, delayed))
    }
    reading.sections.append(section(lines))
  }
}

/// Who follows whom, how far behind, and how often from scratch.
struct ReplicationSource: EvidenceSource {
  let name = "replication"
  let title = "Replication"
  let summary = "the link to the master or the replicas with their lag, full syncs, the limits of their buffers"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel ? [] : [["CONFIG", "GET", "client-output-buffer-limit"]]
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard reading.server.mode != .sentinel, let replication = ReplicationFacts(reading.info) else { return }
    let facts = reading.facts
    var lines: [String] = []
    if let limits = replies.first?.elements?[1]?.text { reading.facts.settings["client-output-buffer-limit"] = limits }
    if replication.role.follows {
      let master = replication.masterAddress.map { " \($0)" } ?? ""
      let isUp = replication.isLinkUp.map { $0 ? "up" : "down" } ?? "in an unknown state"
      lines.append(
        "the link to its master\(master) is \(isUp)\(replication.linkDownSeconds.map { " for \(span(Double($0)))" } ?? "")"
      )
      if replication.isSyncing { lines.append("a full sync is under way") }
      reading.add("slave_repl_offset", "replication offset", .bytes)
    } else {
      reading.add("master_repl_offset", "replication offset", .bytes)
      reading.add("connected_slaves", "replicas", .count)
    }
    reading.facts.syncingReplicas = replication.replicas.filter { $0.state == .syncing }.map { "\($0.address)" }
    for name in ["sync_full", "sync_partial_err", "client_output_buffer_limit_disconnections"] {
      guard let rise = facts.rise(name), rise > 0 else { continue }
      let what =
        switch name {
        case "sync_full": "full syncs"
        case "sync_partial_err": "partial syncs refused"
        default: "clients cut off for their output buffer"
        }
      lines.append("\(EvidenceText.count(rise)) \(what) in \(facts.pastSpan)")
    }
    let table =
      replication.replicas.isEmpty
      ? nil
      : Evidence.Table(
        ["replica", "state", "behind", "last acknowledged"],
        replication.replicas.map { replica in
          let behind = replica.offset.map { EvidenceText.bytes(Double(max(0, replication.masterOffset - $0))) }
          return [
            "\(replica.address)", replica.state == .online ? "online" : "syncing", behind ?? "unknown",
            "\(replica.ackAgeSeconds) s ago",
          ]
        })
    if let limits = reading.facts.settings["client-output-buffer-limit"] {
      lines.append("client-output-buffer-limit \(oneLine(limits.cut(toBytes: 160)))")
    }
    reading.sections.append(section(lines, table))
  }
}
