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
