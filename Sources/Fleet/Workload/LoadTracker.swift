import Redis
import Runtime

/// How busy a member was between its two newest polls; nil for what is not known.
struct MemberLoad: Sendable, Equatable {
  /// 0 to 1.
  var eventLoopBusyRatio: Double?
  /// Calls slower than the objective, since it is watched. Before the first histogram it is not known: without one, no count
  /// may claim that nothing was slow.
  var slowCommandCount: Double?
  var latencyP99Seconds: Double?
  var evictionsPerSecond: Double?
  var use = RecentUse()
}

/// How busy each member is, from one poll to the next.
struct LoadTracker: Sendable {
  private struct Entry: Sendable {
    var runID: String
    var began: Monotonic
    var eventLoop = EventLoopLoad()
    var slowCommands = SlowCommands()
    var evictions = CountRate()
    var use = RecentUse()
  }
  private var entries: [NodeAddress: Entry] = [:]
  private var shifts = TopologyShifts()

  /// - Parameter step: of the ``LatencyGrid``; calls slower than its edge are counted, nil for none.
  mutating func note(_ readings: [MemberReading], slowerThan step: Int?) {
    shifts.note(readings)
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
        entry.evictions.restart()
      }
      entry.began = reading.began
      entry.eventLoop.note(busyMicroseconds: facts.eventLoopMicroseconds, at: reading.began)
      entry.evictions.note(facts.evictedCount.map { Double($0) }, at: reading.began)
      entry.use.note(facts.mix, runID: runID, at: reading.began, shifted: shifts.newest)
      if let latency = facts.latency { entry.slowCommands.note(latency, beyond: step) }
      entries[reading.address] = entry
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { entries[address] = nil }
    shifts.forget(addresses)
  }

  subscript(address: NodeAddress) -> MemberLoad {
    guard let entry = entries[address] else { return MemberLoad() }
    return MemberLoad(
      eventLoopBusyRatio: entry.eventLoop.ratio,
      slowCommandCount: entry.slowCommands.isKnown ? entry.slowCommands.count : nil,
      latencyP99Seconds: entry.slowCommands.p99Seconds, evictionsPerSecond: entry.evictions.perSecond,
      use: entry.use)
  }
}
