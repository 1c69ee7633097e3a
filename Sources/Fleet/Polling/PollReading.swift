import Metrics
import Redis
import Runtime

/// Turns the replies of one poll into samples, collector by collector. Pure: no I/O, no clock.
struct PollReading {
  /// What came of one collector.
  enum Outcome: Equatable {
    case success
    /// The server will not answer this; the reason for the label.
    case refused(String)
    /// The replies were errors or of another shape; the words for the log.
    case failed(String)
    /// Not all replies came; why not.
    case missing(String)
  }

  private(set) var outcomes: [(collector: String, outcome: Outcome)] = []
  /// What the poll says of the server as a member; nil where nobody follows a topology.
  private(set) var member: Shared<MemberFacts>?
  /// Replies that had too many lines, with those of each that were left out.
  private(set) var cuts: [(reply: String, lineCount: Int)] = []
  /// The replies that it read.
  private(set) var replies: RecordedPoll.Replies?

  /// Runs every collector that has a step in the poll.
  ///
  /// - Parameter failure: why replies are missing, where some are.
  mutating func read(_ poll: PollContext, failure: RedisError? = nil, into sink: inout SampleSink) {
    var poll = poll
    for step in poll.steps {
      outcomes.append((step.collector.name, Self.run(step, &poll, failure, into: &sink)))
    }
    member = poll.reading(MemberFacts.self).map { Shared($0) }
    cuts = Self.cuts(poll, member)
    replies = RecordedPoll.Replies(info: poll.info, steps: poll.steps, replies: poll.allReplies, config: poll.config)
  }

  private static func cuts(_ poll: PollContext, _ member: Shared<MemberFacts>?) -> [(reply: String, lineCount: Int)] {
    var cuts = poll.info.cuts.map { (reply: "INFO \($0.section)", lineCount: $0.lineCount) }
    if let count = member?.cluster?.omittedCount { cuts.append(("CLUSTER NODES", count)) }
    if member?.replication?.replicas.count == ReplicationFacts.replicaLimit {
      cuts.append(("INFO Replication", (poll.info.integer("connected_slaves") ?? 0) - ReplicationFacts.replicaLimit))
    }
    cuts.append(("SENTINEL MASTERS", poll.server.omittedMasterCount))
    if let step = poll.step(of: MembershipCollector.self), poll.server.mode == .sentinel {
      for (command, reply) in zip(step.commands, poll.replies(to: step) ?? []) {
        let count = (reply.elements?.count ?? 0) - ClusterNodes.nodeLimit
        if count > 0 { cuts.append((command.description, count)) }
      }
    }
    return cuts.filter { $0.lineCount > 0 }
  }

  private static func run(
    _ step: Plan.Step, _ poll: inout PollContext, _ failure: RedisError?, into sink: inout SampleSink
  ) -> Outcome {
    guard poll.turn(to: step) else { return .missing(failure?.message ?? "no reply before the deadline") }
    if let index = poll.replies.firstIndex(where: \.isError) {
      let reply = poll.replies[index]
      if let reason = Refusals.reason(reply) { return .refused(reason) }
      if !step.collector.acceptsErrors {
        return .failed("\(step.commands[index]) was answered: \(printable(reply.bytes ?? []))")
      }
    }
    do throws(CollectorError) {
      try step.collector.collect(poll, into: &sink)
      return .success
    } catch {
      return .failed(error.description)
    }
  }
}
