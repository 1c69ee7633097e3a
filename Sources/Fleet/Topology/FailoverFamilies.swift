import Metrics
import Runtime

/// The families of failovers and of the Sentinels that report them.
enum FailoverFamilies {
  static let total = Family.counter(
    "failovers_total",
    "Failovers by kind: automatic, manual, or missed (known only afterwards, from the epoch).",
    labels: ["master_name", "kind"],
    traits: [.values(Failover.Kind.allCases.map(\.rawValue), of: "kind"), .event])
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
    traits: [.values(Failover.Phase.allCases.map(\.rawValue), of: "phase")])
  private static let names = ["master_name", "from", "to", "kind", "epoch"]
  static let info = Family.gauge(
    "failover_info",
    "Time of each of the newest 16 failovers within 24 hours, in seconds since the epoch. The label epoch is that of the Sentinels or the cluster; without either, the new master's replication id.",
    labels: names, unit: .seconds, traits: [.event, .values(Failover.Kind.allCases.map(\.rawValue), of: "kind")])
  static let outage = Family.gauge(
    "failover_outage_seconds",
    "Time from the last good answer of the old master to the first of the new one as master, in seconds, of the failovers that failover_info lists; 0 where the old one served until then, absent while that is not known.",
    labels: names, unit: .seconds)
  static let lostBytes = Family.gauge(
    "failover_lost_bytes",
    "Bytes of the replication stream that the old master had and the new one never got, at least and at most; PINGs and what Sentinels publish are among them. Both are the same where the old one could be asked afterwards and the number is exact; else the most is an estimate, by the speed of its writes before, and is absent where there is none.",
    labels: names + ["bound"], unit: .bytes, traits: [.values(Bound.allCases.map(\.rawValue), of: "bound")])
  static let lostWrites = Family.gauge(
    "failover_lost_writes",
    "About how many changes of keys a failover lost, at least and at most: by the old master's own count, else failover_lost_bytes by the bytes of a change over the five minutes before. A most of 0 is exact.",
    labels: names + ["bound"], traits: [.values(Bound.allCases.map(\.rawValue), of: "bound")])
  private enum Bound: String, CaseIterable { case least, most }
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
    total, aborted, unconfirmed, lastTimestamp, phase, info, outage, lostBytes, lostWrites, listening, sentinelsPresent,
    sentinelsExpected,
    sentinelsDissenting, hasQuorum, addressMixed,
  ]

  /// - Parameters:
  ///   - newest: of those that were counted, whose phases are shown.
  ///   - name: of the Sentinels' master.
  ///   - count: what is counted of a kind, given what this daemon knows of it.
  static func add(
    _ failovers: any FailoverTracking, _ newest: Failover?, _ name: LabelValue,
    count: (Failover.Kind, _ inMemory: Int) -> Double, into sink: inout SampleSink
  ) {
    let counts = failovers.state.counts
    guard !counts.isEmpty else { return }
    for kind in [Failover.Kind.automatic, .manual, .missed] {
      sink.add(total, count(kind, counts[kind] ?? 0), [name, .text(kind.rawValue)])
    }
    sink.add(lastTimestamp, failovers.state.lastFailover?.seconds ?? 0, name)
    if let known = counts[.aborted] { sink.add(aborted, count(.aborted, known), name) }
    if let known = failovers.unconfirmedFailoverCount { sink.add(unconfirmed, Double(known), name) }
    for (phase, seconds) in newest?.durations ?? [] {
      sink.add(Self.phase, seconds, [name, .text(phase.rawValue)])
    }
  }

  /// - Parameter told: those that are shown, with the names of their servers.
  static func add(_ told: some Sequence<FailoverLog.Entry>, _ name: LabelValue, into sink: inout SampleSink) {
    for entry in told {
      let failover = entry.failover
      let labels: [LabelValue] =
        [name]
        + [entry.from, entry.to, failover.kind.rawValue, failover.mark].map { $0.map { .text($0) } ?? .absent }
      // As exact as it is kept: the next daemon shows the same.
      sink.add(info, (failover.counted.seconds * 1000).rounded() / 1000, labels)
      if let seconds = failover.cost.outageSeconds { sink.add(outage, seconds, labels) }
      for (family, loss) in [(lostBytes, failover.cost.lostBytes), (lostWrites, failover.cost.lostWrites)] {
        guard let loss else { continue }
        sink.add(family, Double(loss.least), labels + [.text(Bound.least.rawValue)])
        if let most = loss.most { sink.add(family, Double(most), labels + [.text(Bound.most.rawValue)]) }
      }
    }
  }

  /// - Parameter arePolled: whether each Sentinel has been polled once; before that there is nothing to count.
  static func add(_ view: SentinelView, expectedCount: Int?, arePolled: Bool, into sink: inout SampleSink) {
    if let expectedCount { sink.add(sentinelsExpected, Double(expectedCount)) }
    guard arePolled else { return }
    sink.add(sentinelsPresent, Double(view.answeringCount))
    sink.add(sentinelsDissenting, Double(view.dissenters.count))
    if let hasQuorum = view.hasQuorum { sink.add(Self.hasQuorum, hasQuorum ? 1 : 0) }
    sink.add(addressMixed, view.isAddressMixed ? 1 : 0)
  }
}
