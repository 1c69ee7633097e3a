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
    "Time of the command's calls, in microseconds, on the true edges of the server's buckets (LATENCY HISTOGRAM histogram_usec).",
    labels: ["cmd"], unit: .microseconds)
  private static let seconds = Family.histogram(
    "command_latency_seconds",
    "Time of calls, in seconds, with less common commands merged as other and those that wait by design as blocking (LATENCY HISTOGRAM histogram_usec).",
    labels: ["cmd"], unit: .seconds)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard !options.excludesLatency, server.mode != .sentinel, server.version >= Version(7) else { return [] }
    return [["LATENCY", "HISTOGRAM"]]
  }

  func collect(_ input: CollectorInput, into sink: inout SampleSink) throws(CollectorError) {
    guard let elements = input.replies.first?.elements else {
      throw CollectorError("LATENCY HISTOGRAM is not a list")
    }
    var merged: [String: CommandLatency] = [:]
    var iterator = elements.makeIterator()
    while let name = iterator.next(), let details = iterator.next() {
      guard let command = name.bytes else { throw CollectorError("LATENCY HISTOGRAM names no command") }
      guard
        let latency = CommandLatency(
          // A command that INFO does not have yet had taken no time when INFO was written.
          details, microseconds: input.usages.isEmpty ? nil : input.usages.withSubcommands(command)?.microseconds ?? 0)
      else { continue }
      sink.addHistogram(
        Self.microseconds, [LabelValue(command)], edges: LatencyGrid.microseconds,
        cumulative: latency.cumulative, count: latency.calls, sum: latency.microseconds)
      let label = LatencyCommands.label(
        String(decoding: command, as: UTF8.self), allowed: input.options.latencyCommands)
      merged[label, default: .none].add(latency)
    }
    for (label, latency) in merged.sorted(by: { $0.key < $1.key }) {
      sink.addHistogram(
        Self.seconds, [LabelValue(label)], edges: LatencyGrid.seconds, cumulative: latency.cumulative,
        count: latency.calls, sum: latency.microseconds.map { $0 / 1e6 })
    }
  }
}
