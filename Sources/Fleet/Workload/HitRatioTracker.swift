import Redis
import Runtime

/// The share of lookups that found their key, over the last minutes and all masters of a workload.
struct HitRatioTracker: Sendable {
  private struct Mark: Sendable {
    let moment: Monotonic
    let hits: Double
    let lookups: Double
  }
  private struct Entry: Sendable {
    var runID: String
    /// Oldest first.
    var marks: [Mark]
  }
  struct Ratio: Sendable, Equatable {
    /// 0 to 1.
    let value: Double
    let lookupsPerSecond: Double
  }

  /// How far back it looks, and how much it must have seen before it says anything.
  static let windowSeconds = 900.0
  static let shortestSeconds = 60.0
  /// Fewer lookups say nothing of a cache.
  static let fewestLookupsPerSecond = 10.0
  private static let stepSeconds = 30.0

  private var entries: [NodeAddress: Entry] = [:]

  /// - Parameter ownLookups: what the daemon itself looked up so far; it mostly asks for keys that were just named to it,
  ///   so that they are hits.
  mutating func note(_ readings: [MemberReading], ownLookups: (NodeAddress) -> Double) {
    for reading in readings {
      // Replicas' lookups are other clients' reads; a new master starts over.
      guard let facts = reading.facts, facts.replication?.isMaster == true else {
        entries[reading.address] = nil
        continue
      }
      let own = ownLookups(reading.address)
      let mark = Mark(
        moment: reading.began, hits: max(0, Double(facts.keyspaceHits) - own),
        lookups: max(0, Double(facts.keyspaceHits + facts.keyspaceMisses) - own))
      var entry = entries.removeValue(forKey: reading.address) ?? Entry(runID: facts.server.runID, marks: [])
      let isReset = entry.marks.last.map { $0.lookups > mark.lookups || $0.hits > mark.hits + 1000 } ?? false
      if entry.runID != facts.server.runID || isReset { entry = Entry(runID: facts.server.runID, marks: []) }
      entry.marks.removeAll { mark.moment - $0.moment > Self.windowSeconds }
      // The newest mark moves along; a step later it stays.
      if entry.marks.count > 1, mark.moment - entry.marks[entry.marks.count - 2].moment < Self.stepSeconds {
        entry.marks.removeLast()
      }
      entry.marks.append(mark)
      entries[reading.address] = entry
    }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    for address in addresses { entries[address] = nil }
  }

  /// Marks that are held of the master with the most.
  var markCount: Int { entries.values.map(\.marks.count).max() ?? 0 }

  /// nil while too little was seen or looked up.
  var ratio: Ratio? {
    var (hits, lookups, seconds) = (0.0, 0.0, 0.0)
    for entry in entries.values {
      guard let first = entry.marks.first, let last = entry.marks.last else { continue }
      hits += last.hits - first.hits
      lookups += last.lookups - first.lookups
      seconds = max(seconds, last.moment - first.moment)
    }
    guard seconds >= Self.shortestSeconds, lookups / seconds >= Self.fewestLookupsPerSecond else { return nil }
    return Ratio(value: min(1, max(0, hits / lookups)), lookupsPerSecond: lookups / seconds)
  }
}
