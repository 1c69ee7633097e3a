import Config
import Metrics

/// The objectives in force, as rules read them: for each member, so that they match its series.
enum ObjectiveFamilies {
  static let availability = gauge("availability_ratio", "Share of probes that must succeed.", .ratio)
  static let latency = gauge("latency_p99_seconds", "Time within which 99 of 100 probes must be answered.", .seconds)
  static let memoryUsed = gauge("memory_used_ratio", "Largest share of maxmemory that may be in use.", .ratio)
  static let memoryPages = gauge(
    "memory_pages", "Whether memory above its objective must page someone: 1 yes, 0 no.", .none)
  static let hitRatio = gauge("hit_ratio", "Smallest share of key lookups that must find their key.", .ratio)
  static let replicationLag = gauge(
    "replication_lag_seconds", "Largest replica lag allowed, in seconds.", .seconds)
  static let rpo = gauge("rpo_seconds", "Seconds of writes that a crash or a failover may lose at most.", .seconds)
  static let backupAge = gauge("backup_age_seconds", "Largest age of the last good RDB file, in seconds.", .seconds)
  static let evictionsAllowed = gauge(
    "evictions_allowed", "Whether keys may be evicted: 1 yes, 0 no; absent where evictions are not judged.", .none)

  static let all = [
    availability, latency, memoryUsed, memoryPages, hitRatio, replicationLag, rpo, backupAge, evictionsAllowed,
  ]

  private static func gauge(_ name: String, _ help: String, _ unit: Unit) -> Family {
    .gauge("objective_\(name)", help + " (configured)", labels: ["instance"], unit: unit)
  }

  /// Objectives that are off have no series.
  static func add(_ objectives: Objectives, evictionsAllowed: Bool?, _ instance: String, into sink: inout SampleSink) {
    let values: [(Family, Double?)] = [
      (availability, objectives.availabilityRatio), (latency, objectives.latencyP99?.seconds),
      (memoryUsed, objectives.memoryUsedRatio), (memoryPages, objectives.memoryPages ? 1 : 0),
      (hitRatio, objectives.hitRatio), (replicationLag, objectives.replicationLag?.seconds),
      (rpo, objectives.rpo?.seconds), (backupAge, objectives.backupAge?.seconds),
      (Self.evictionsAllowed, evictionsAllowed.map { $0 ? 1 : 0 }),
    ]
    for (family, value) in values {
      if let value { sink.add(family, value, .text(instance)) }
    }
  }
}

extension Duration {
  var seconds: Double { self / .seconds(1) }
}
