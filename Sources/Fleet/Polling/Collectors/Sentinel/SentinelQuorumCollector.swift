import Metrics
import Redis

/// SENTINEL CKQUORUM of each master: whether a failover could be agreed upon now.
struct SentinelQuorumCollector: Collector {
  let name = "sentinel_quorum"
  var families: [Family] { [Self.status] }
  /// The answer "no" is an error reply: `NOQUORUM …`.
  var acceptsErrors: Bool { true }

  private static let status = Family.gauge(
    "sentinel_master_ckquorum_status",
    "Whether enough Sentinels can be reached for a failover, 1 or 0; the label has the Sentinel's reply (SENTINEL CKQUORUM).",
    labels: ["master_name", "message"], traits: [.event])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard server.mode == .sentinel, server.version >= Version(2, 8, 22) else { return [] }
    return server.sentinelMasters.map { ["SENTINEL", "CKQUORUM", $0] }
  }

  func recording(of command: Command) -> ReplyRecording { .text }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for (master, reply) in zip(poll.server.sentinelMasters, poll.replies) {
      guard let message = reply.bytes, !reply.isError || reply.errorCode == "NOQUORUM" else {
        throw CollectorError("SENTINEL CKQUORUM is neither OK nor NOQUORUM")
      }
      sink.add(Self.status, reply.isError ? 0 : 1, [LabelValue(master), LabelValue(message)])
    }
  }
}
