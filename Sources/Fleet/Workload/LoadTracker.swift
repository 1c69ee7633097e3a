import Redis
import Runtime

/// How busy each member is, from one poll to the next.
struct LoadTracker: Sendable {
  private struct Entry: Sendable {
    var runID: String
    var began: Monotonic
    var eventLoop = EventLoopLoad()
    var slowCommands = SlowCommands()
  }
  private var entries: [NodeAddress: Entry] = [:]

  /// - Parameter step: of the ``LatencyGrid``; calls slower than its edge are counted, nil for none.
  mutating func note(_ readings: [MemberReading], slowerThan step: Int?) {
    for reading in readings {
      guard let facts = reading.facts else { continue }
      let runID = facts.server.runID
      var entry = entries[reading.address] ?? Entry(runID: runID, began: .distantPast)
      // The same poll says nothing new.
      guard entry.began != reading.began else { continue }
      if entry.runID != runID {
        entry.runID = runID
        entry.eventLoop.restart()
        entry.slowCommands.restart()
      }
      entry.began = reading.began
      entry.eventLoop.note(busyMicroseconds: facts.eventLoopMicroseconds, at: reading.began)
      if let latency = facts.latency { entry.slowCommands.note(latency, beyond: step) }
      entries[reading.address] = entry
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { entries[address] = nil }
  }

  /// 0 to 1; nil where it is not known.
  func eventLoopBusyRatio(of address: NodeAddress) -> Double? { entries[address]?.eventLoop.ratio }

  /// nil before the member's first histogram: without one, no count may claim that nothing was slow.
  func slowCommandCount(of address: NodeAddress) -> Double? {
    entries[address].flatMap { $0.slowCommands.isKnown ? $0.slowCommands.count : nil }
  }
}
