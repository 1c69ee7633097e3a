/// The samples of one series in a range, and the range itself: what a function over a range computes from.
struct Window {
  /// Those of the whole query, without staleness markers; `indices` are those in the range, at least one.
  let samples: [Sample]
  let indices: Range<Int>
  /// The range, in milliseconds since the epoch.
  let startMilliseconds: Int64
  let endMilliseconds: Int64
  /// The moment of the evaluation: other than the end of the range behind an offset.
  let timeMilliseconds: Int64

  @inline(__always) var count: Int { indices.count }
  @inline(__always) var first: Sample { samples[indices.lowerBound] }
  @inline(__always) var last: Sample { samples[indices.upperBound - 1] }
  @inline(__always) var slice: ArraySlice<Sample> { samples[indices] }
  var rangeSeconds: Double { Double(endMilliseconds - startMilliseconds) / 1000 }
}

/// Finds the samples of ranges that never move back, in one walk over the samples.
struct SlidingRange {
  private let hasOpenStart: Bool
  private var lower = 0
  private var upper = 0

  init(dialect: Dialect) { hasOpenStart = dialect.hasOpenRanges }

  @inline(__always)
  mutating func indices(_ samples: [Sample], from start: Int64, through end: Int64) -> Range<Int> {
    while upper < samples.count, samples[upper].timestampMilliseconds <= end { upper += 1 }
    let firstKept = hasOpenStart ? start + 1 : start
    while lower < upper, samples[lower].timestampMilliseconds < firstKept { lower += 1 }
    return lower..<upper
  }
}
