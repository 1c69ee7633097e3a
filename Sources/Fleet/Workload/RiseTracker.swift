import Redis
import Runtime

/// When a count of each member last rose. Pure.
///
/// Counts begin at 0 with each process, and again after CONFIG RESETSTAT.
struct RiseTracker: Sendable {
  struct Rise: Sendable, Equatable {
    /// By how much it rose.
    let count: Int
    /// When the poll ended that showed it, in seconds since the epoch.
    let wall: WallTime
    /// Whether no later poll has been answered.
    fileprivate(set) var isNewest = true
  }
  private struct Entry: Sendable {
    var count: Int
    var runID: String
    var began: Monotonic
    var rise: Rise?
  }
  private var entries: [NodeAddress: Entry] = [:]

  mutating func note(_ readings: [MemberReading], count: (MemberReading, Shared<MemberFacts>) -> Int) {
    for reading in readings {
      guard let facts = reading.facts else { continue }
      let (now, runID) = (count(reading, facts), facts.server.runID)
      guard var entry = entries[reading.address] else {
        entries[reading.address] = Entry(count: now, runID: runID, began: reading.began)
        continue
      }
      // The same poll says nothing new.
      guard entry.began != reading.began else { continue }
      let before = entry.runID == runID && now >= entry.count ? entry.count : 0
      entry.rise?.isNewest = false
      if now > before { entry.rise = Rise(count: now - before, wall: reading.ended) }
      (entry.count, entry.runID, entry.began) = (now, runID, reading.began)
      entries[reading.address] = entry
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { entries[address] = nil }
  }

  /// nil while none was seen.
  func lastRise(at address: NodeAddress) -> Rise? { entries[address]?.rise }
}
