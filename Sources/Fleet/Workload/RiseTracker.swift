import Redis

/// When a count of each member last rose. Pure.
///
/// Counts begin at 0 with each process, and again after CONFIG RESETSTAT.
struct RiseTracker: Sendable {
  struct Rise: Sendable, Equatable {
    /// By how much it rose.
    let count: Int
    /// When the poll ended that showed it, in seconds since the epoch.
    let wallSeconds: Double
    /// Whether no later poll has been answered.
    fileprivate(set) var isNewest = true
  }
  private struct Entry: Sendable {
    var count: Int
    var runID: String
    var pollSeconds: Double
    var rise: Rise?
  }
  private var entries: [NodeAddress: Entry] = [:]

  mutating func note(_ readings: [MemberReading], count: (MemberReading, MemberFacts) -> Int) {
    let present = Set(readings.map(\.address))
    entries = entries.filter { present.contains($0.key) }
    for reading in readings {
      guard let facts = reading.facts else { continue }
      let (now, runID) = (count(reading, facts), facts.server.runID)
      guard var entry = entries[reading.address] else {
        entries[reading.address] = Entry(count: now, runID: runID, pollSeconds: reading.seconds)
        continue
      }
      // The same poll says nothing new.
      guard entry.pollSeconds != reading.seconds else { continue }
      let before = entry.runID == runID && now >= entry.count ? entry.count : 0
      entry.rise?.isNewest = false
      if now > before { entry.rise = Rise(count: now - before, wallSeconds: reading.endedSeconds) }
      (entry.count, entry.runID, entry.pollSeconds) = (now, runID, reading.seconds)
      entries[reading.address] = entry
    }
  }

  /// nil while none was seen.
  func lastRise(at address: NodeAddress) -> Rise? { entries[address]?.rise }
}
