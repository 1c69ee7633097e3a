/// The value of a series at a moment, as it is handed to the store.
public struct HistoryPoint: Sendable, Equatable {
  /// Names the series, in words of the caller's choice such as a JSON object. At most `StoreLimits.seriesBytes`.
  public let labels: String
  /// Wall time in milliseconds since 1970; not negative.
  public let atMs: Int64
  /// Kept to the bit; it may be NaN or infinite.
  public let value: Double

  public init(labels: String, atMs: Int64, value: Double) {
    self.labels = labels
    self.atMs = atMs
    self.value = value
  }

  var isWithinLimits: Bool {
    // Until the year 9999: sums of times stay far from overflow.
    (0...253_402_300_799_999).contains(atMs) && labels.utf8.count <= StoreLimits.seriesBytes
  }
}

/// A series as it was kept.
public struct HistorySeries: Sendable {
  public struct Point: Sendable, Equatable {
    /// Wall time in milliseconds since 1970.
    public let atMs: Int64
    public let value: Double
  }

  public let labels: String
  /// Ascending by time, one for a time.
  public internal(set) var points: [Point] = []
  private var isSorted = true

  init(labels: String) { self.labels = labels }

  mutating func append(_ point: Point) {
    isSorted = isSorted && (points.last.map { $0.atMs < point.atMs } ?? true)
    points.append(point)
  }

  /// Puts the points in order; of one time the last that was appended stays.
  mutating func sort() {
    guard !isSorted else { return }
    let ordered = points.enumerated().sorted { ($0.element.atMs, $0.offset) < ($1.element.atMs, $1.offset) }
    points = []
    for (_, point) in ordered {
      if points.last?.atMs == point.atMs { points.removeLast() }
      points.append(point)
    }
    isSorted = true
  }
}

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
