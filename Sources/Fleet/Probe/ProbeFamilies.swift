import Metrics

/// The families of the active probe.
enum ProbeFamilies {
  static let success = Family.gauge(
    "probe_success", "Whether the newest PING was answered in time: 1 yes, 0 no.")
  static let duration = Family.histogram(
    "probe_duration_seconds", "Round trips of the PINGs that were answered, one a second on a connection of its own.",
    unit: .seconds)
  static let attempts = Family.counter("probe_attempts_total", "PINGs that were due and tried.")
  static let failures = Family.counter("probe_failures_total", "PINGs that were due and not answered in time.")
  static let missed = Family.counter(
    "probe_missed_total", "PINGs that were due and not sent in their second, because the exporter was late.")
  static let connectSeconds = Family.gauge(
    "probe_connect_seconds", "How long the newest connect of the probe took, with name look-up, TLS and login.",
    unit: .seconds)
  static let connections = Family.counter("probe_connections_opened_total", "Connections that the probe has opened.")

  static let all = [success, duration, attempts, failures, missed, connectSeconds, connections]

  /// Upper bounds in seconds; objectives of 2.5, 5 and 10 ms stand on an edge exactly.
  static let edges = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  ]
}
