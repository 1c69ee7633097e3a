import Metrics
import Redis

/// LATENCY LATEST: spikes that the server's latency monitor has seen.
struct LatencyEventsCollector: Collector {
  let name = "latency_latest"
  var families: [Family] { [Self.last, Self.duration, Self.durationMax] }

  private static let last = Family.gauge(
    "latency_spike_last", "Time of the event's last spike, in seconds since the epoch (LATENCY LATEST).",
    labels: ["event_name"], unit: .seconds)
  private static let duration = Family.gauge(
    "latency_spike_duration_seconds", "Duration of the event's last spike, in seconds (LATENCY LATEST).",
    labels: ["event_name"], unit: .seconds)
  private static let durationMax = Family.gauge(
    "latency_spike_duration_max_seconds",
    "Longest spike of the event since the start or LATENCY RESET, in seconds (LATENCY LATEST).",
    labels: ["event_name"], unit: .seconds)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard !options.excludesLatency, server.mode != .sentinel, server.version >= Version(2, 8, 13)
    else { return [] }
    return [["LATENCY", "LATEST"]]
  }

  func recording(of command: Command) -> ReplyRecording { .numbersAndWords }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let events = poll.replies.first?.elements else {
      throw CollectorError("LATENCY LATEST is not a list")
    }
    for event in events {
      guard let parts = event.elements, let name = parts[0]?.bytes, let time = parts[1]?.double,
        let milliseconds = parts[2]?.double
      else { continue }
      let label = LabelValue(name)
      sink.add(Self.last, time, label)
      sink.add(Self.duration, milliseconds / 1e3, label)
      if let longest = parts[3]?.double { sink.add(Self.durationMax, longest / 1e3, label) }
    }
  }
}
