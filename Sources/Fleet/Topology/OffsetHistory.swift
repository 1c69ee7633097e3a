import Runtime

/// When a master had reached which offset in its replication stream; bounded.
///
/// Turns "so many bytes behind" into "so many seconds behind" without a write rate: a replica is as late as the moment
/// when its master passed the offset that the replica has now.
public struct OffsetHistory: Sendable, Equatable {
  struct Entry: Sendable, Equatable {
    let moment: Monotonic
    let offset: Int
  }

  /// At 5 seconds between polls about an hour at full resolution; beyond it the older half is thinned out.
  static let limit = 720

  private(set) var entries: [Entry] = []
  private var replicationID = ""

  public init() {}

  /// Takes in the master's own offset.
  ///
  /// - Parameters:
  ///   - replicationID: `master_replid`; a new one keeps the history where offsets go on, as after a failover.
  ///   - seconds: when the master answered.
  public mutating func note(offset: Int, replicationID: String, at moment: Monotonic) {
    if let last = entries.last, offset < last.offset || (moment < last.moment && replicationID != self.replicationID) {
      // Another stream of data: what was known of the old one says nothing of this.
      entries = []
    }
    self.replicationID = replicationID
    if let last = entries.last {
      guard moment > last.moment || (moment == last.moment && offset > last.offset) else { return }
      // While nothing is written only the newest moment at an offset matters, and the first.
      if entries.count > 1, last.offset == offset, entries[entries.count - 2].offset == offset { entries.removeLast() }
    }
    entries.append(Entry(moment: moment, offset: offset))
    if entries.count > Self.limit {
      let half = entries.count / 2
      entries = entries[..<half].enumerated().filter { $0.offset % 2 == 0 }.map(\.element) + entries[half...]
    }
  }

  /// Takes a time out in which nobody could write, as if it had not passed.
  mutating func skip(seconds: Double) {
    guard seconds > 0 else { return }
    entries = entries.map { Entry(moment: $0.moment + seconds, offset: $0.offset) }
  }

  /// How late a replica with that offset is.
  ///
  /// - Returns: seconds, interpolated between two notes; `isAtLeast` where the master had passed the offset before the
  ///   history begins. nil while nothing was noted.
  public func lateness(offset: Int, at now: Monotonic) -> (seconds: Double, isAtLeast: Bool)? {
    guard let last = entries.last, let first = entries.first else { return nil }
    if offset >= last.offset { return (0, false) }
    if offset < first.offset { return (max(0, now - first.moment), true) }
    // The last note at which the master had not passed the offset: it did so after that.
    var range = entries.startIndex..<entries.endIndex
    while range.count > 1 {
      let middle = range.lowerBound + range.count / 2
      if entries[middle].offset <= offset {
        range = middle..<range.upperBound
      } else {
        range = range.lowerBound..<middle
      }
    }
    let (before, after) = (entries[range.lowerBound], entries[range.lowerBound + 1])
    let span = Double(after.offset) - Double(before.offset)
    let share = span > 0 ? (Double(offset) - Double(before.offset)) / span : 0
    return (max(0, now - (before.moment + share * (after.moment - before.moment))), false)
  }
}
