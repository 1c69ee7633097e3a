import Metrics

/// The families of the active probe: one PING per second to each member, on a connection of its own.
enum ProbeFamilies {
  static let duration = Family.histogram(
    "probe_duration_seconds",
    "Round-trip time of one PING per second; a PING that was held up by the one before counts from its planned time, one that failed counts as the whole timeout.",
    unit: .seconds)
  static let connect = Family.histogram(
    "probe_connect_seconds", "Duration of the probe's connects, including name lookup, TLS and login.", unit: .seconds)
  static let success = Family.gauge("probe_success", "Whether the last probe was answered in time: 1 yes, 0 no.")
  static let missed = Family.counter(
    "probe_missed_total",
    "Probes that were not sent, because the one before had no answer yet or because the server is down and is left alone."
  )
  static let failures = Family.counter("probe_failures_total", "Probes that got no answer in time.")

  static let all = [duration, connect, success, missed, failures]

  /// In seconds; the objectives for latency are among them.
  static let durationEdges = [
    0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  ]
  static let connectEdges = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1]
}
