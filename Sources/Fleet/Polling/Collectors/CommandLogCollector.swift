import Metrics
import Redis

/// The logs of slow commands, large requests and large replies of Valkey 8.1 and later.
struct CommandLogCollector: Collector {
  let name = "commandlog"
  var families: [Family] { Self.logs.map(\.family) }

  private static let logs: [(kind: String, family: Family)] = [
    ("slow", .gauge("commandlog_slow_length", "Entries in the log of slow commands (COMMANDLOG LEN slow).")),
    (
      "large-request",
      .gauge("commandlog_large_request_length", "Entries in the log of large requests (COMMANDLOG LEN large-request).")
    ),
    (
      "large-reply",
      .gauge("commandlog_large_reply_length", "Entries in the log of large replies (COMMANDLOG LEN large-reply).")
    ),
  ]

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard server.mode != .sentinel, let version = server.valkeyVersion, version >= Version(8, 1)
    else { return [] }
    return Self.logs.map { ["COMMANDLOG", "LEN", $0.kind] }
  }

  func recording(of command: Command) -> ReplyRecording { .numbersAndWords }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for (log, reply) in zip(Self.logs, poll.replies) {
      guard let length = reply.double else { throw CollectorError("COMMANDLOG LEN is not a number") }
      sink.add(log.family, length)
    }
  }
}
