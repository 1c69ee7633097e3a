import Metrics

/// The families of failovers and of those who tell of them.
enum FailoverFamilies {
  static let total = Family.counter(
    "failovers_total",
    "Failovers by how they came about: automatic, manual, or missed when only the epoch told of them afterwards.",
    labels: ["master_name", "kind"])
  static let aborted = Family.counter(
    "failovers_aborted_total", "Attempts at a failover that led to no new master.", labels: ["master_name"])
  static let unconfirmed = Family.counter(
    "failovers_unconfirmed_total",
    "Switches that a Sentinel published and that neither most Sentinels nor the servers confirmed, or came too fast.",
    labels: ["master_name"])
  static let lastTimestamp = Family.gauge(
    "failover_last_timestamp_seconds", "When the last failover was noticed, in seconds since the epoch; 0 for never.",
    labels: ["master_name"], unit: .seconds)
  static let phase = Family.gauge(
    "failover_phase_seconds",
    "How long the newest failover took from the phase before to this one, as far as it was heard.",
    labels: ["master_name", "phase"], unit: .seconds)
  static let listening = Family.gauge(
    "sentinel_subscription_up", "Whether what the Sentinel publishes is heard: 1 yes, 0 no.", labels: ["sentinel"])
  static let sentinelsPresent = Family.gauge("workload_sentinels_present", "Sentinels that answer.")
  static let sentinelsExpected = Family.gauge(
    "workload_sentinels_expected", "Sentinels that the configuration expects.")
  static let sentinelsDissenting = Family.gauge(
    "workload_sentinels_dissenting", "Sentinels that name another master than most, or do not know it.")
  static let hasQuorum = Family.gauge(
    "workload_sentinel_quorum", "Whether most Sentinels could agree on a failover (CKQUORUM): 1 yes, 0 no.")
  static let addressMixed = Family.gauge(
    "workload_sentinel_addresses_mixed", "Whether Sentinels name members by host names and by addresses at once.")

  static let all = [
    total, aborted, unconfirmed, lastTimestamp, phase, listening, sentinelsPresent, sentinelsExpected,
    sentinelsDissenting, hasQuorum, addressMixed,
  ]
}
