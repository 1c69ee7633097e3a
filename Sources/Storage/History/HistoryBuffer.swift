/// The points that are not in the file yet. A pure value.
struct HistoryBuffer: Sendable {
  private(set) var points: [HistoryPoint] = []
  /// Points lost because too many were waiting, or because the file had no room for another series.
  private(set) var droppedPoints = 0
  private(set) var refusedPoints = 0
  /// How many points left the buffer since the start, so that a batch knows its place.
  private var removedPoints = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  struct Batch: Sendable {
    let points: [HistoryPoint]
    fileprivate let end: Int
  }

  mutating func append(_ added: [HistoryPoint]) {
    let admitted = added.filter(\.isWithinLimits)
    refusedPoints += added.count - admitted.count
    points += admitted
    let surplus = points.count - limit
    guard surplus > 0 else { return }
    droppedPoints += surplus
    remove(surplus)
  }

  /// Everything that waits.
  func batch() -> Batch { Batch(points: points, end: removedPoints + points.count) }

  /// The batch is in the file but for those dropped; points appended since it was taken stay to be written.
  mutating func settle(_ batch: Batch, dropped: Int) {
    droppedPoints += dropped
    remove(max(0, batch.end - removedPoints))
  }

  private mutating func remove(_ count: Int) {
    points.removeFirst(count)
    removedPoints += count
  }
}
