/// Whether the newest dump of a group of members is as young as it should be. One good dump is enough, no matter which wrote it.
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
}

extension PersistenceFacts {
  /// Age of the newest dump by the server's own clock; nil where none was written or read since its start.
  func dumpAgeSeconds(nowSeconds now: Double) -> Double? {
    hasSaved ? max(0, (serverSeconds ?? now) - lastSaveSeconds) : nil
  }
}
