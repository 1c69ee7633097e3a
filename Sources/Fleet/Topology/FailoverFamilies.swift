import Metrics

/// The families of failovers and of the Sentinels that report them.
enum FailoverFamilies {
  static let total = Family.counter(
    "failovers_total",
    "Failovers by kind: automatic, manual, or missed (known only afterwards, from the epoch).",
    labels: ["master_name", "kind"],
    traits: [.values(FailoverRecord.Kind.allCases.map(\.rawValue), of: "kind"), .event])
  static let aborted = Family.counter(
    "failovers_aborted_total", "Failover attempts that ended without a new master.", labels: ["master_name"])
  static let unconfirmed = Family.counter(
    "failovers_unconfirmed_total",
    "Master switches published by a Sentinel that neither most Sentinels nor the servers confirmed, or that came too fast.",
    labels: ["master_name"])
  static let lastTimestamp = Family.gauge(
    "failover_last_timestamp_seconds", "Time of the last failover, in seconds since the epoch; 0 if there was none.",
    labels: ["master_name"], unit: .seconds, traits: [.event])
  static let phase = Family.gauge(
    "failover_phase_seconds",
    "Time that the last failover took to reach the phase from the one before it, in seconds; absent for phases that were not observed.",
    labels: ["master_name", "phase"], unit: .seconds,
    traits: [.values(FailoverRecord.Phase.allCases.map(\.rawValue), of: "phase")])
  static let listening = Family.gauge(
    "sentinel_subscription_up", "Whether the subscription to the Sentinel's events is up: 1 yes, 0 no.",
    labels: ["sentinel"])
  static let sentinelsPresent = Family.gauge("workload_sentinels_present", "Sentinels that answer.")
  static let sentinelsExpected = Family.gauge(
    "workload_sentinels_expected", "Sentinels that the configuration expects.")
  static let sentinelsDissenting = Family.gauge(
    "workload_sentinels_dissenting", "Sentinels that name a different master than most do, or do not know it.")
  static let hasQuorum = Family.gauge(
    "workload_sentinel_quorum",
    "Whether the Sentinels could agree on a failover, by the answers of most of them to CKQUORUM: 1 yes, 0 no.",
    traits: [.event])
  static let addressMixed = Family.gauge(
    "workload_sentinel_addresses_mixed",
    "Whether Sentinels name some members by host name and others by IP address: 1 yes, 0 no.")

  static let all = [
    total, aborted, unconfirmed, lastTimestamp, phase, listening, sentinelsPresent, sentinelsExpected,
    sentinelsDissenting, hasQuorum, addressMixed,
  ]
}
