import Redis
import Runtime

/// What a Sentinel says of the master and of those around it.
struct SentinelSource: EvidenceSource {
  let name = "sentinel"
  let title = "Sentinel's view"
  let summary = "a Sentinel's view of the master, its replicas, the other Sentinels and the quorum"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    guard server.mode == .sentinel, let masterName else { return [] }
    return [
      ["SENTINEL", "MASTER", masterName], ["SENTINEL", "SLAVES", masterName], ["SENTINEL", "SENTINELS", masterName],
      ["SENTINEL", "CKQUORUM", masterName],
    ]
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard reading.server.mode == .sentinel, replies.count == 4 else { return }
    var lines: [String] = []
    if let master = MonitoredMaster(replies[0]) {
      lines.append("the master is \(master.address), epoch \(master.configEpoch), \(master.flags.words)")
      lines.append("quorum \(master.quorum), \(master.otherSentinelCount) other Sentinels")
    } else {
      lines.append("it knows no master of this name")
    }
    switch QuorumCheck(replies[3]) {
    case .reached(let count): lines.append("a failover could be agreed upon, with \(count) Sentinels")
    case .notReached(let count): lines.append("no failover can be agreed upon: \(count) Sentinels can be used")
    case .unknown: lines.append("it does not say whether a failover could be agreed upon")
    }
    let replicas = replies[1].instances { MonitoredReplica($0) } ?? []
    let peers = replies[2].instances { PeerSentinel($0) } ?? []
    reading.sections.append(
      section(
        lines,
        Evidence.Table(
          ["server", "what", "state", "priority"],
          replicas.map {
            [
              "\($0.address)", "replica", $0.isMasterLinkUp ? $0.flags.words : "link down, \($0.flags.words)",
              "\($0.priority)",
            ]
          }
            + peers.map { ["\($0.address)", "Sentinel", $0.flags.words, ""] })))
  }
}

extension SentinelFlags {
  /// `up`, or what is wrong.
  fileprivate var words: String {
    if isObjectivelyDown { return "down for the Sentinels (o_down)" }
    if isDown { return "down for this Sentinel (s_down)" }
    return isDisconnected ? "disconnected" : "up"
  }
}

/// A node's view of its cluster.
struct ClusterSource: EvidenceSource {
  let name = "cluster"
  let title = "Cluster's view"
  let summary = "the node's view of the cluster: its state, slots, who is down"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .cluster ? [["CLUSTER", "INFO"], ["CLUSTER", "NODES"]] : []
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard replies.count == 2, let text = replies[0].bytes, !replies[0].isError else { return }
    let info = InfoText(text)
    var lines: [String] = []
    if let state = info.text("cluster_state") {
      reading.facts.words["cluster_state"] = oneLine(state.cut(toBytes: 64))
      lines.append("state \(oneLine(state.cut(toBytes: 64)))")
    }
    for (name, title) in [
      ("cluster_slots_ok", "slots covered"), ("cluster_slots_pfail", "slots of nodes that may be down"),
      ("cluster_slots_fail", "slots of nodes that are down"), ("cluster_current_epoch", "epoch"),
    ] {
      if let value = info.finite(name) { lines.append("\(title): \(EvidenceText.count(value))") }
    }
    var table: Evidence.Table?
    if let bytes = replies[1].bytes, !replies[1].isError {
      let nodes = ClusterNodes(bytes).nodes
      table = Evidence.Table(
        ["node", "role", "state", "slots"],
        nodes.map { node in
          let state =
            node.flags.contains("fail")
            ? "down" : node.flags.contains("fail?") ? "may be down" : node.isLinkConnected ? "connected" : "no link"
          return [
            "\(Endpoint.tcp(host: node.host, port: node.port))", node.isMaster ? "master" : "replica", state,
            node.isMaster ? "\(node.slots.reduce(0) { $0 + $1.count })" : "",
          ]
        })
    }
    reading.sections.append(section(lines, table))
  }
}
