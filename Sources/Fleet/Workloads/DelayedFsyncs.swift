import Redis

/// Where the disk does not keep up with the append-only log: `aof_delayed_fsync` has risen since the poll before.
struct DelayedFsyncs: Sendable {
  private struct Seen: Sendable {
    let count: Int
    let runID: String
    let seconds: Double
    let isRising: Bool
  }
  private var seen: [NodeAddress: Seen] = [:]

  mutating func note(_ readings: [MemberReading]) {
    let present = Set(readings.map(\.address))
    seen = seen.filter { present.contains($0.key) }
    for reading in readings {
      guard let facts = reading.facts else { continue }
      let before = seen[reading.address]
      // The same poll says nothing new.
      if let before, before.seconds == reading.seconds { continue }
      let count = facts.persistence.delayedFsyncCount
      seen[reading.address] = Seen(
        count: count, runID: facts.server.runID, seconds: reading.seconds,
        isRising: before.map { $0.runID == facts.server.runID && count > $0.count } ?? false)
    }
  }

  func isRising(at address: NodeAddress) -> Bool { seen[address]?.isRising ?? false }
}
