import Metrics

/// The families of the key watches. They belong to a workload, whichever member was read.
enum WatchFamilies {
  static let locks = Family.gauge("locks", "Locks found by the last complete walk over the keys.")
  static let locksWithoutTTL = Family.gauge(
    "locks_without_ttl", "Locks that never expire; clients that wait for one may wait for ever.")
  static let circuitOpen = Family.gauge(
    "circuit_open", "Whether the service's failure counter has reached the threshold: 1 yes, 0 no.",
    labels: ["service"])
  static let circuitFailures = Family.gauge(
    "circuit_failures", "Failure counter of the service; absent once it is deleted or expired.", labels: ["service"])
  static let circuitsOpen = Family.gauge(
    "circuits_open", "Services whose circuit is open, including those without a series of their own.")
  static let omitted = Family.gauge(
    "key_watch_omitted",
    "Keys or services that a watch left out, because there were too many or they cannot be read; 0 if none.",
    labels: ["watch"])
  static let walkTimestamp = Family.gauge(
    "key_watch_last_walk_timestamp_seconds",
    "Time when the last complete walk over the keys ended, in seconds since the epoch, for the shard whose walk is the oldest.",
    unit: .seconds)
  static let unknownShards = Family.gauge(
    "key_watch_unknown_shards",
    "Shards without a complete walk: no server there can be read, or the first walk is still running.")

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
