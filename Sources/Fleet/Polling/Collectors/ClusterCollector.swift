import Metrics
import Redis

/// CLUSTER INFO of a cluster node: the rows below, and every other `cluster_*` number under its own name.
struct ClusterCollector: Collector {
  let name = "cluster"
  var families: [Family] { Self.table.families }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    server.isClusterEnabled && server.mode != .sentinel ? [["CLUSTER", "INFO"]] : []
  }

  func recording(of command: Command) -> ReplyRecording { .lines }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let info = poll.clusterInfo else { throw CollectorError("CLUSTER INFO is not a text") }
    Self.table.collect(info, poll.options, source: Self.source, into: &sink)
  }

  private static let source = "CLUSTER INFO"
  private static let table = InfoFieldTable(totals + messages)

  private static let totals: [InfoField] = [
    row("cluster_state", "Whether the cluster can serve, as this node sees it, 1 or 0"),
    row("cluster_slots_assigned", "Slots assigned to a node, out of 16384", .event),
    row("cluster_slots_ok", "Slots whose node is neither failed nor suspected"),
    row("cluster_slots_pfail", "Slots whose node this node suspects to have failed"),
    row("cluster_slots_fail", "Slots whose node has failed", .event),
    row("cluster_known_nodes", "Nodes that this node knows, including those in handshake"),
    row("cluster_size", "Masters that serve at least one slot"),
    row("cluster_current_epoch", "Latest epoch of the cluster that this node knows", .growing),
    row("cluster_my_epoch", "The configuration epoch of this node", .growing),
    row(
      "cluster_stats_messages_sent", as: "cluster_messages_sent_total",
      "Messages that this node sent over the cluster bus", .growing),
    row(
      "cluster_stats_messages_received", as: "cluster_messages_received_total",
      "Messages that this node received over the cluster bus", .growing),
    .counter(
      "total_cluster_links_buffer_limit_exceeded", as: "cluster_links_buffer_limit_exceeded_total", since: "7.0",
      source: source,
      help: "Links to other nodes that were closed because their buffer reached cluster-link-sendbuf-limit"),
  ]

  private static let messages: [InfoField] = [
    ("auth-ack", "4.0", "votes for a failover"), ("auth-req", "4.0", "requests for votes for a failover"),
    ("fail", "4.0", "notices that a node has failed"), ("meet", "4.0", "invitations to join"),
    ("mfstart", "4.0", "requests to pause for a manual failover"), ("module", "5.0", "messages of modules"),
    ("ping", "4.0", "pings"), ("pong", "4.0", "pongs"), ("publish", "4.0", "messages published to all nodes"),
    ("publishshard", "7.0", "messages published to a shard"),
    ("update", "4.0", "corrections of another node's slots"),
  ].flatMap { kind, since, what in
    ["sent", "received"].map { way in
      row(
        "cluster_stats_messages_\(kind)_\(way)",
        as: metricName(Array("cluster_stats_messages_\(kind)_\(way)".utf8)[...]), since: since,
        "Cluster bus messages \(way): \(what)", .growing)
    }
  }

  private static func row(
    _ field: String, as name: String? = nil, since: String = "3.0", _ help: String, _ traits: Family.Trait...
  ) -> InfoField {
    .gauge(field, as: name ?? field, since: since, source: source, traits: traits, help: help)
  }
}

struct ClusterInfo: SharedReading {
  let text: InfoText

  static func read(_ poll: PollContext) -> ClusterInfo? {
    poll.reply(to: ClusterCollector.self)?.bytes.map { ClusterInfo(text: InfoText($0)) }
  }
}

extension PollContext {
  /// nil where CLUSTER INFO was not answered.
  var clusterInfo: InfoText? { reading(ClusterInfo.self)?.text }
}
