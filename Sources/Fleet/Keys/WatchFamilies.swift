import Metrics

/// The families of the key watches. They belong to a workload, whichever member was read.
enum WatchFamilies {
  static let locks = Family.gauge("locks", "Keys that are locks, as the newest whole walk found them.")
  static let locksWithoutTTL = Family.gauge(
    "locks_without_ttl", "Locks that never expire: whoever waits for one may wait for ever.")
  static let circuitOpen = Family.gauge(
    "circuit_open", "Whether the service's counter of failures has reached the threshold: 1 yes, 0 no.",
    labels: ["service"])
  static let circuitFailures = Family.gauge(
    "circuit_failures", "The service's counter of failures; absent once it is deleted or expired.", labels: ["service"])
  static let circuitsOpen = Family.gauge(
    "circuits_open", "Services whose circuit is open, those without a series of their own included.")
  static let omitted = Family.gauge(
    "key_watch_omitted",
    "Keys or services that a watch left out because there were too many, or because they cannot be read; 0 for a full view.",
    labels: ["watch"])
  static let walkTimestamp = Family.gauge(
    "key_watch_last_walk_timestamp_seconds",
    "When the newest whole walk over the keys ended, of the shard that was walked longest ago.", unit: .seconds)
  static let unknownShards = Family.gauge(
    "key_watch_unknown_shards",
    "Shards of which no whole walk is known: nobody there can be read, or it goes on still.")

  static let all = [
    locks, locksWithoutTTL, circuitOpen, circuitFailures, circuitsOpen, omitted, walkTimestamp, unknownShards,
  ]
}

extension WatchSummary {
  func add(into sink: inout SampleSink) {
    sink.add(WatchFamilies.unknownShards, Double(unknownShardCount))
    guard let oldestEndSeconds else { return }
    sink.add(WatchFamilies.walkTimestamp, oldestEndSeconds)
    if let locks {
      sink.add(WatchFamilies.locks, Double(locks.seenCount))
      sink.add(WatchFamilies.locksWithoutTTL, Double(locks.withoutTTLCount))
      sink.add(WatchFamilies.omitted, Double(locks.omittedCount), "locks")
    }
    guard let circuits else { return }
    for circuit in circuits {
      let service = LabelValue.text(keyLabel(Array(circuit.service.utf8)))
      sink.add(WatchFamilies.circuitOpen, circuit.isOpen ? 1 : 0, service)
      sink.add(WatchFamilies.circuitFailures, circuit.failures, service)
    }
    sink.add(WatchFamilies.circuitsOpen, Double(openCircuitCount))
    sink.add(WatchFamilies.omitted, Double(omittedCircuitCount), "circuits")
  }
}
