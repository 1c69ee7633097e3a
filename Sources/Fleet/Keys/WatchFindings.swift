import Config

/// What one whole walk over a shard found.
struct WatchFindings: Sendable, Equatable {
  struct Locks: Sendable, Equatable {
    var seenCount = 0
    var withoutTTLCount = 0
    /// Matching keys that were not looked at, because there were too many or the server does not let them be seen.
    var omittedCount = 0
  }

  struct Circuits: Sendable, Equatable {
    /// Failures by service; counters that are gone by the time they are read are left out.
    var failures: [String: Double] = [:]
    var omittedCount = 0

    /// The most counters that are read in one walk.
    static let limit = 10_000

    mutating func note(_ service: String, failures count: Double) {
      failures[service] = max(failures[service] ?? 0, count)
    }
  }

  /// nil where locks are not watched, or the server does not tell.
  var locks: Locks?
  var circuits: Circuits?
  var streams: Set<StreamName> = []
  var omittedStreamCount = 0
  /// Seconds since the epoch.
  var endedSeconds = 0.0
  /// How long the walk took, with the waits that keep it within its share of time.
  var tookSeconds = 0.0
}

/// What the newest walks over all shards of a workload found, taken together.
struct WatchSummary: Sendable, Equatable {
  struct Circuit: Sendable, Equatable {
    let service: String
    let failures: Double
    let isOpen: Bool
  }

  private(set) var locks: WatchFindings.Locks?
  /// The services that get a series, by name; those with the most failures where there are too many.
  private(set) var circuits: [Circuit]?
  /// Services with and without a series.
  private(set) var openCircuitCount = 0
  private(set) var omittedCircuitCount = 0
  private(set) var omittedStreamCount = 0
  /// Shards without a whole walk that is recent enough.
  private(set) var unknownShardCount = 0
  /// When the oldest of the newest walks ended, in seconds since the epoch; nil before the first.
  private(set) var oldestEndSeconds: Double?

  /// - Parameter findings: one of each shard, nil where there is none.
  init(_ findings: [WatchFindings?], _ config: KeyWatches.Circuits) {
    let known = findings.compactMap { $0 }
    unknownShardCount = findings.count - known.count
    oldestEndSeconds = known.map(\.endedSeconds).min()
    omittedStreamCount = known.reduce(0) { $0 + $1.omittedStreamCount }
    for found in known.compactMap(\.locks) {
      var sum = locks ?? WatchFindings.Locks()
      sum.seenCount += found.seenCount
      sum.withoutTTLCount += found.withoutTTLCount
      sum.omittedCount += found.omittedCount
      locks = sum
    }
    let counted = known.compactMap(\.circuits)
    guard !counted.isEmpty else { return }
    var all = WatchFindings.Circuits()
    for found in counted {
      all.omittedCount += found.omittedCount
      for (service, failures) in found.failures { all.note(service, failures: failures) }
    }
    let ranked = all.failures.map { service, failures in
      Circuit(service: service, failures: failures, isOpen: failures >= Double(config.threshold))
    }.sorted { ($1.failures, $0.service) < ($0.failures, $1.service) }
    openCircuitCount = ranked.count(where: \.isOpen)
    circuits = ranked.prefix(config.maxServices).sorted { $0.service < $1.service }
    omittedCircuitCount = all.omittedCount + max(0, ranked.count - config.maxServices)
  }
}
