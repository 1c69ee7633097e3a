import Metrics
import NIOCore
import Redis
import Runtime

/// How polling the target went, over the poller's life, and what all parts of the daemon have cost it.
struct PollCost: Sendable {
  private let node: NodeCost
  private var polls = 0.0
  private var pollSeconds = 0.0
  private var connectSeconds = 0.0
  private var pingSeconds: Double?

  init(_ node: NodeCost) { self.node = node }

  mutating func noteConnect(_ connection: Connection) {
    node.noteConnect(connection)
    connectSeconds = connection.connectSeconds
    pingSeconds = connection.pingSeconds
  }

  func noteFailure(_ errorClass: RedisError.Class) { node.noteFailure(errorClass) }

  func note(_ exchange: Exchange, of batch: CommandBatch) { node.note(exchange, of: batch) }

  static func addState(_ state: TargetState, into sink: inout SampleSink) {
    sink.add(PollFamilies.up, state.isUp ? 1 : 0)
    for name in TargetState.names {
      sink.add(PollFamilies.state, name == state.name ? 1 : 0, .text(name))
    }
  }

  /// Adds what every poll says of itself, whether it succeeded or not.
  mutating func add(
    _ state: TargetState, durationSeconds: Double, lastSuccess: WallTime?, reading: PollReading, refusals: Refusals,
    into sink: inout SampleSink
  ) {
    polls += 1
    pollSeconds += durationSeconds
    Self.addState(state, into: &sink)
    if let error = state.error {
      sink.add(PollFamilies.lastScrapeError, 1, .text(error.errorClass.rawValue))
    } else {
      sink.add(PollFamilies.lastScrapeError, 0, "")
    }
    sink.add(PollFamilies.lastScrapeDuration, durationSeconds)
    sink.add(PollFamilies.lastConnectTime, connectSeconds)
    if let pingSeconds { sink.add(PollFamilies.lastPingTime, pingSeconds) }
    sink.add(PollFamilies.scrapes, polls)
    sink.addSummary(PollFamilies.scrapeDuration, [], quantiles: [], count: polls, sum: pollSeconds)
    if let lastSuccess { sink.add(PollFamilies.lastSuccess, lastSuccess.seconds) }
    for (collector, outcome) in reading.outcomes where refusals.byCollector[collector] == nil {
      sink.add(PollFamilies.collectorSuccess, outcome == .success ? 1 : 0, .text(collector))
    }
    for (collector, refusal) in refusals.byCollector.sorted(by: { $0.key < $1.key }) {
      sink.add(PollFamilies.collectorSuccess, 0, .text(collector))
      sink.add(PollFamilies.collectorRefused, 1, [.text(collector), .text(refusal.reason)])
    }
    for cut in reading.cuts { sink.add(PollFamilies.cutLines, Double(cut.lineCount), .text(cut.reply)) }
    let totals = node.totals
    sink.add(PollFamilies.commands, totals.commands)
    sink.add(PollFamilies.lookups, totals.lookups)
    sink.add(PollFamilies.sentBytes, totals.sentBytes)
    sink.add(PollFamilies.receivedBytes, totals.receivedBytes)
    sink.add(PollFamilies.busySeconds, totals.waitedSeconds)
    sink.add(PollFamilies.connections, totals.connections)
    for (errorClass, count) in totals.failures.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      sink.add(PollFamilies.connectionFailures, count, .text(errorClass.rawValue))
    }
    sink.add(PollFamilies.droppedSeries, Double(sink.overflowCount + sink.duplicateCount))
  }
}
