import Redis
import Runtime
import Storage

extension CulpritRule {
  /// Replicas that begin from scratch, again and again.
  static let ofReplication: [CulpritRule] = [
    .node("full-sync") { node, scene in
      guard node.isMaster, node.silence == nil else { return [] }
      let syncs = node.rise("sync_full") ?? 0
      let cuts = node.rise("client_output_buffer_limit_disconnections") ?? 0
      let isUnderWay = !node.syncingReplicas.isEmpty
      guard isUnderWay || syncs >= 1 else { return [] }
      var parts: [String] = []
      if syncs >= 1 {
        parts.append("\(EvidenceText.count(syncs)) full \(syncs == 1 ? "sync" : "syncs") in \(node.pastSpan)")
      }
      if let replica = node.syncingReplicas.first {
        parts.append(
          node.syncingReplicas.count == 1
            ? "\(replica) is being synced" : "\(node.syncingReplicas.count) replicas are being synced")
      }
      if cuts >= 1 {
        let limit = node.settings["client-output-buffer-limit"].flatMap(replicaLimit).map { " (\($0))" } ?? ""
        parts.append(
          "a replica's output buffer was cut \(EvidenceText.count(cuts)) times\(limit): raise client-output-buffer-limit replica"
        )
      }
      // Before Redis 7.2 the server does not count what it cuts.
      if syncs >= 2, node.numbers["client_output_buffer_limit_disconnections"] == nil,
        let limit = node.settings["client-output-buffer-limit"].flatMap(replicaLimit)
      {
        parts.append(
          "its output buffer for replicas is limited to \(limit), and it does not tell whether it cut one off")
      }
      return [
        culprit(
          "full-sync", node, weight: cuts >= 1 ? 88 : syncs >= 2 ? 76 : 54,
          "\(named(node)): \(parts.joined(separator: ", "))",
          restsOn: "INFO of \(node.instance)")
      ]
    },
    .node("link-down") { node, _ in
      guard node.words["master_link_status"] == "down", node.silence == nil else { return [] }
      let since = node.numbers["master_link_down_since_seconds"].map { $0 >= 0 ? " for \(span($0))" : "" } ?? ""
      return [
        culprit(
          "link-down", node, weight: 48, "\(node.instance) has had no link to its master\(since)",
          restsOn: "INFO of \(node.instance)")
      ]
    },
  ]

  /// `replica 1mb 0 0` of the whole setting.
  private static func replicaLimit(_ setting: String) -> String? {
    let words = setting.split(separator: " ").map(String.init)
    guard let place = words.firstIndex(where: { ["slave", "replica"].contains($0) }), words.count > place + 3,
      let hard = Double(words[place + 1])
    else { return nil }
    return EvidenceText.bytes(hard)
  }

  /// What cannot be written, or takes long to be.
  static let ofPersistence: [CulpritRule] = [
    .node("aof-failing") { node, _ in
      guard node.words["aof_last_write_status"] == "err" else { return [] }
      return [
        culprit(
          "aof-failing", node, weight: 98,
          "\(named(node)) cannot write its AOF\(disk(node)), and refuses writes", restsOn: "INFO of \(node.instance)")
      ]
    },
    .node("rdb-failing") { node, _ in
      guard node.words["rdb_last_bgsave_status"] == "err" else { return [] }
      return [
        culprit(
          "rdb-failing", node, weight: 64, "the last RDB save of \(named(node)) failed\(disk(node))",
          restsOn: "INFO of \(node.instance)")
      ]
    },
    .node("slow-disk") { node, scene in
      let delayed = node.rise("aof_delayed_fsync") ?? 0
      let event = node.latency.filter { $0.name.hasPrefix("aof-") && $0.seconds >= 0.1 && scene.isNear($0.at) }
        .max { $0.seconds < $1.seconds }
      guard delayed >= 1 || event != nil else { return [] }
      let took = event.map { ", \(EvidenceText.duration($0.seconds)) at \(EvidenceText.clock($0.at))" } ?? ""
      let times = delayed >= 1 ? "\(EvidenceText.count(delayed)) times in \(node.pastSpan)" : "lately"
      return [
        culprit(
          "slow-disk", node, weight: 61, "\(named(node)) waited for its disk to take the AOF \(times)\(took)",
          restsOn: "INFO and LATENCY of \(node.instance)")
      ]
    },
    .node("fork") { node, scene in
      let event = node.latency.first { $0.name == "fork" && scene.isNear($0.at) }
      let isUnderWay = node.numbers["rdb_bgsave_in_progress"] == 1 || node.numbers["aof_rewrite_in_progress"] == 1
      let seconds = event?.seconds ?? (isUnderWay ? node.numbers["latest_fork_usec"].map { $0 / 1e6 } : nil) ?? 0
      guard seconds >= 0.1 else { return [] }
      let at = event.map { " at \(EvidenceText.clock($0.at)), \(scene.distance($0.at))" } ?? ""
      return [
        culprit(
          "fork", node, weight: 57, "the fork of a save held \(named(node)) for \(EvidenceText.duration(seconds))\(at)",
          restsOn: "LATENCY and INFO of \(node.instance)")
      ]
    },
  ]

  private static func disk(_ node: NodeFacts) -> String {
    node.host?.freeBytes.map { ": its disk has \(EvidenceText.bytes($0)) left" } ?? ""
  }

  /// Keys that had to go.
  static let ofMemory: [CulpritRule] = [
    .node("evictions") { node, _ in
      guard let evicted = node.rise("evicted_keys"), evicted >= 100, let rate = node.rate("evicted_keys"),
        let limit = node.numbers["maxmemory"], limit > 0
      else { return [] }
      return [
        culprit(
          "evictions", node, weight: 46,
          "\(named(node)) evicted \(EvidenceText.count(evicted)) keys in \(node.pastSpan), \(EvidenceText.count(rate)) a second: maxmemory is reached",
          restsOn: "INFO of \(node.instance)")
      ]
    },
    .node("memory-full") { node, _ in
      guard node.words["maxmemory_policy"] == "noeviction", let used = node.numbers["used_memory"],
        let limit = node.numbers["maxmemory"], limit > 0
      else { return [] }
      let counted = used - (node.numbers["mem_not_counted_for_evict"] ?? 0)
      guard counted >= limit else { return [] }
      return [
        culprit(
          "memory-full", node, weight: 84,
          "\(named(node)) is full and may evict nothing: it refuses writes", restsOn: "INFO of \(node.instance)")
      ]
    },
    .node("buffers") { node, _ in
      guard let buffers = node.numbers["mem_clients_normal"], let used = node.numbers["used_memory"],
        buffers >= Double(64 << 20),
        buffers >= 0.2 * used
      else { return [] }
      return [
        culprit(
          "buffers", node, weight: 60,
          "buffers of clients take \(EvidenceText.bytes(buffers)) of \(EvidenceText.bytes(used)) on \(named(node))",
          restsOn: "INFO of \(node.instance)")
      ]
    },
  ]

  /// What happened shortly before.
  static let ofChanges: [CulpritRule] = [
    CulpritRule(id: "changed") { scene in
      scene.events.compactMap { event in
        // What an event follows from the same fault says nothing new.
        let weights: [EventKind: Int] = [.restart: 72, .failover: 44, .failoverAborted: 44, .configChange: 42]
        guard let weight = weights[event.kind], event.at <= scene.now,
          event.at >= scene.at - (event.kind == .configChange ? 900 : 120)
        else { return nil }
        return Evidence.Culprit(
          "changed", key: "\(event.kind.rawValue) \(event.node)", weight: weight,
          "\(event.summary) (\(EvidenceText.clock(event.at)), \(scene.distance(event.at)))", restsOn: "events")
      }
    },
    CulpritRule(id: "marked") { scene in
      scene.events.compactMap { event in
        // What began long before, or only after the alert, is no cause that anybody can be sure of.
        guard event.kind == .mark, event.at <= scene.at, event.at >= scene.at - 600,
          let details = MarkDetails(try? JSONReader.value(Array(event.details.utf8))),
          [.change, .deploy, .release].contains(details.kind)
        else { return nil }
        return Evidence.Culprit(
          "marked", key: event.summary, weight: 59,
          "\(event.summary) (marked at \(EvidenceText.clock(event.at)), \(scene.distance(event.at)))", restsOn: "marks")
      }
    },
  ]
}
