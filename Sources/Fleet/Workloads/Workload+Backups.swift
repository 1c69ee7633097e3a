import Config
import Redis
import Runtime

extension PersistenceFacts {
  /// Age of the newest dump by the server's own clock; nil where none was written or read since its start.
  func dumpAgeSeconds(nowSeconds now: Double) -> Double? {
    hasSaved ? max(0, (serverSeconds ?? now) - lastSaveSeconds) : nil
  }
}

/// Whether the newest dump of a group of members is as young as it should be. One good dump is enough, whoever wrote it.
struct BackupVerdict: Sendable, Equatable {
  /// Of the newest dump; nil where nobody has written one.
  let ageSeconds: Double?
  let isTooOld: Bool

  /// - Parameter members: those of one group that are up.
  init(_ members: [PersistenceFacts], limitSeconds: Double, nowSeconds now: Double) {
    ageSeconds = members.compactMap { $0.dumpAgeSeconds(nowSeconds: now) }.min()
    if let ageSeconds {
      // With no change since then the oldest dump is as good as new.
      isTooOld = ageSeconds > limitSeconds && !members.contains { $0.hasSaved && $0.changesSinceSave == 0 }
    } else {
      // One that was started just now has had no time to save.
      isTooOld = members.contains { $0.uptimeSeconds > limitSeconds }
    }
  }

  /// - Parameter name: what the group is called.
  func finding(_ name: String, limitSeconds: Double) -> WorkloadOverview.Finding? {
    guard isTooOld else { return nil }
    guard let ageSeconds else { return .init(.warning, "\(name) has no RDB file since its start") }
    let age = amount(ageSeconds / 60, "min", upTo: 10_000_000)
    return .init(
      .warning,
      "The newest RDB file of \(name) is \(age) old, wanted are \(Int(clamping: limitSeconds / 60)) min")
  }
}

extension Workload {
  /// Dumps that are too old, and saves that failed.
  func backupFindings(_ objectives: Objectives, nowSeconds now: Double) -> [WorkloadOverview.Finding] {
    let facts = members.compactMapValues { $0.reading.facts?.persistence }
    let failed = facts.filter { !$0.value.isLastSaveOK }.keys.sorted().map {
      WorkloadOverview.Finding(.warning, "The last save of \(instance($0)) failed")
    }
    guard let limit = objectives.backupAge?.seconds else { return failed }
    let groups = config.topology == .static ? members.keys.sorted().map { [$0] } : following.groups.map(\.members)
    let old = groups.compactMap { group -> WorkloadOverview.Finding? in
      let known = group.compactMap { facts[$0] }
      guard let first = group.first, !known.isEmpty else { return nil }
      return BackupVerdict(known, limitSeconds: limit, nowSeconds: now).finding(instance(first), limitSeconds: limit)
    }
    return failed + old
  }
}

extension ReplicationGroup {
  /// The master first.
  var members: [NodeAddress] {
    [master].compactMap { $0 } + replicas.subtracting([master].compactMap { $0 }).sorted()
  }
}
