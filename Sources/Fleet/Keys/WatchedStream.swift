import Metrics
import Runtime

/// What was read of one stream.
struct WatchedStream: Sendable {
  let database: Int
  let report: StreamReport
  /// The server's clock; nil where it did not tell.
  let nowMilliseconds: Double?

  var name: StreamName { StreamName(database: database, bytes: report.name) }

  func add(into sink: inout SampleSink) {
    report.add(database: database, nowMilliseconds: nowMilliseconds, into: &sink)
  }
}

/// What the watches over a workload's keys have found, for checks.
struct KeyReading: Sendable {
  /// nil where no keys are walked over, and before anybody was found.
  let summary: WatchSummary?
  let streams: [WatchedStream]

  static let none = KeyReading(summary: nil, streams: [])
}
