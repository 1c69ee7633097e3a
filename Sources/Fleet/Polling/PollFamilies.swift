import Metrics
import Redis

/// The families that say how polling a target goes.
enum PollFamilies {
  static let up = Family.gauge(
    "up", "Whether the last poll of this Redis returned its INFO: 1 yes, 0 no.", traits: [.event])
  static let state = Family.gauge(
    "exporter_target_state", "State of the target at the last poll: 1 for that state, 0 for the others.",
    labels: ["state"], traits: [.values(TargetState.names, of: "state")])
  static let lastScrapeError = Family.gauge(
    "exporter_last_scrape_error",
    "Error of the last poll: 1 with its class in the label err, or 0 with an empty label if there was none.",
    labels: ["err"])
  static let lastScrapeDuration = Family.gauge(
    "exporter_last_scrape_duration_seconds", "Duration of the last poll.", unit: .seconds)
  static let lastConnectTime = Family.gauge(
    "exporter_last_scrape_connect_time_seconds",
    "Duration of the last connect, including name lookup, TLS and login.", unit: .seconds)
  static let lastPingTime = Family.gauge(
    "exporter_last_scrape_ping_time_seconds", "Round-trip time of the PING after the last connect.",
    unit: .seconds)
  static let scrapes = Family.counter("exporter_scrapes_total", "Polls of this Redis since start.")
  static let scrapeDuration = Family.summary(
    "exporter_scrape_duration_seconds", "Duration of polls of this Redis.", unit: .seconds)
  static let lastSuccess = Family.gauge(
    "exporter_last_success_timestamp_seconds",
    "Time of the last poll that returned this Redis's INFO, in seconds since the epoch.", unit: .seconds)
  static let collectorSuccess = Family.gauge(
    "exporter_collector_success",
    "Whether the collector's commands were answered in the last poll: 1 yes, 0 no.",
    labels: ["collector"])
  static let collectorRefused = Family.gauge(
    "exporter_collector_refused",
    "1 for a collector that is left out for up to an hour: this Redis refuses it (no permission or no such command), or answers with more than is read.",
    labels: ["collector", "reason"])
  static let cutLines = Family.gauge(
    "exporter_reply_cut_lines", "Lines of the reply that the last poll left out, because there were too many.",
    labels: ["reply"])
  static let commands = Family.counter(
    "exporter_commands_sent_total", "Commands that the exporter sent to this Redis: polls, probes and work on keys.")
  static let lookups = Family.counter(
    "exporter_lookups_total",
    "Commands of the exporter that this Redis counts as a keyspace hit or miss: subtract them from its hit ratio.")
  static let sentBytes = Family.counter(
    "exporter_sent_bytes_total", "Bytes of commands that the exporter sent to this Redis.", unit: .bytes)
  static let receivedBytes = Family.counter(
    "exporter_received_bytes_total", "Bytes of replies that the exporter received from this Redis.",
    unit: .bytes)
  static let busySeconds = Family.counter(
    "exporter_waiting_seconds_total", "Time that the exporter waited for this Redis's replies.",
    unit: .seconds)
  static let connections = Family.counter(
    "exporter_connections_opened_total", "Connections that the exporter opened to this Redis.")
  static let connectionFailures = Family.counter(
    "exporter_connection_failures_total",
    "Failed attempts to connect to this Redis, by class; Redis counts those of class maxclients in rejected_connections, too.",
    labels: ["class"], traits: [.values(RedisError.Class.allCases.map(\.rawValue), of: "class")])
  /// Of a whole workload: for each server it would be a dozen series that say the same.
  static let lateness = Family.histogram(
    "exporter_poll_lateness_seconds",
    "Delay between the planned and the actual start of the workload's polls; its cause is this process or its machine, not Redis.",
    unit: .seconds)
  static let latenessEdges = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5]
  static let droppedSeries = Family.gauge(
    "exporter_dropped_series",
    "Series of the last poll that were left out, as duplicates or because there were too many.")

  /// Those that say something of the daemon and not of the server: `--append-instance-role-label` leaves them alone.
  static let withoutRole = all.filter { ![up, lastScrapeError, lastScrapeDuration].map(\.name).contains($0.name) }

  static let all = [
    up, state, lastScrapeError, lastScrapeDuration, lastConnectTime, lastPingTime, scrapes,
    scrapeDuration, lastSuccess, collectorSuccess, collectorRefused, cutLines, commands, lookups, sentBytes,
    receivedBytes, busySeconds, connections, connectionFailures, lateness, droppedSeries,
  ]
}
