import Metrics
import Redis

/// LATENCY HISTOGRAM: the time of commands since the start, on the server's own buckets.
///
/// Two families show the same counts: `commands_latencies_usec`, the name that dashboards know, for each command; and
/// `command_latency_seconds` for the commands of ``CollectorOptions/latencyCommands``, with the rest merged, so that a
/// fleet has a bounded number of series.
struct LatencyHistogramCollector: Collector {
  let name = "latency_histogram"
  var families: [Family] { [Self.microseconds, Self.seconds] }

  private static let microseconds = Family.histogram(
    "commands_latencies_usec",
    "Latency of the command's calls, in microseconds, with the server's own bucket edges (LATENCY HISTOGRAM histogram_usec).",
    labels: ["cmd"], unit: .microseconds)
  private static let seconds = Family.histogram(
    "command_latency_seconds",
    "Latency of calls, in seconds; less common commands are merged as other, commands that wait by design as blocking (LATENCY HISTOGRAM histogram_usec).",
    labels: ["cmd"], unit: .seconds)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard !options.excludesLatency, server.mode != .sentinel, server.version >= Version(7) else { return [] }
    return [["LATENCY", "HISTOGRAM"]]
  }

  var isRecordedSeldom: Bool { true }

  func recording(of command: Command) -> ReplyRecording { .numbersAndWords }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let latencies = poll.latencies else {
      throw CollectorError("LATENCY HISTOGRAM is not a list of commands")
    }
    var merged: [String: CommandLatency] = [:]
    for (command, latency) in latencies.entries {
      sink.addHistogram(
        Self.microseconds, [LabelValue(command)], edges: LatencyGrid.microseconds,
        cumulative: latency.cumulative, count: latency.calls, sum: latency.microseconds)
      let label = LatencyCommands.label(command, allowed: poll.options.latencyCommands)
      // Most labels stand for one command alone.
      if merged[label]?.add(latency) == nil { merged[label] = latency }
    }
    for (label, latency) in merged.sorted(by: { $0.key < $1.key }) {
      sink.addHistogram(
        Self.seconds, [LabelValue(label)], edges: LatencyGrid.seconds, cumulative: latency.cumulative,
        count: latency.calls, sum: latency.microseconds.map { $0 / 1e6 })
    }
  }
}
