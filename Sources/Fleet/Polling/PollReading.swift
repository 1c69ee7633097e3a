import Metrics
import Redis

/// Turns the replies of one poll into samples, collector by collector. Pure: no I/O, no clock.
struct PollReading {
  /// What came of one collector.
  enum Outcome: Equatable {
    case success
    /// The server will not answer this; the reason for the label.
    case refused(String)
    /// The replies were errors or of another shape; the words for the log.
    case failed(String)
    /// Not all replies came before the deadline.
    case missing
  }

  private(set) var outcomes: [(collector: String, outcome: Outcome)] = []
  /// What the poll says of the server as a member; nil where nobody follows a topology.
  private(set) var member: MemberFacts?

  /// Runs every collector that has a step in the poll.
  mutating func read(_ poll: PollContext, into sink: inout SampleSink) {
    var poll = poll
    for step in poll.steps {
      outcomes.append((step.collector.name, Self.run(step, &poll, into: &sink)))
    }
    member = poll.reading(MemberFacts.self)
  }

  private static func run(_ step: Plan.Step, _ poll: inout PollContext, into sink: inout SampleSink) -> Outcome {
    guard poll.turn(to: step) else { return .missing }
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
