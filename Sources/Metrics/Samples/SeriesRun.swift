import Runtime

/// The series of one family in one source, without their values.
///
/// Sources that have the same series share one object (``SeriesRunTable``): a thousand servers that are alike keep names
/// and labels once, and a poll leaves numbers alone.
final class SeriesRun: Sendable {
  /// One series, or a whole histogram.
  struct Series: Sendable, Equatable {
    let part: SamplePart
    /// Which of ``SeriesRun/edges`` a histogram has; 0 for other parts.
    let edges: UInt8
    /// Where its labels end in ``SeriesRun/labels``; they begin where those of the series before end.
    let labelEnd: UInt32
  }

  /// ``Family/id``.
  let family: Int32
  /// In order of arrival.
  let series: [Series]
  /// The labels of all, already in exposition form: `a="x",b="y"`.
  let labels: [UInt8]
  let edges: [HistogramEdges]
  /// How many numbers the series have: one each, those of histograms as ``valueCount(of:)`` says.
  let valueCount: Int
  let histogramCount: Int
  /// As they stand on a page: the count of a histogram is its bucket +Inf as well.
  var seriesCount: Int { valueCount + histogramCount }
  /// Of all of the above. Seeded per process, so that no server can aim at the runs of another.
  let hash: UInt64

  init(family: Int32, series: [Series], labels: [UInt8], edges: [HistogramEdges]) {
    self.family = family
    self.series = series
    self.labels = labels
    self.edges = edges
    var (valueCount, histogramCount) = (0, 0)
    var hash = processSeed ^ UInt64(UInt32(bitPattern: family))
    for one in series {
      if one.part.isHistogram { histogramCount += 1 }
      valueCount += one.part.valueCount(edges: one.part.isHistogram ? edges[Int(one.edges)].count : 0)
      hash = (hash ^ UInt64(one.part.rawValue) ^ UInt64(one.edges) << 8 ^ UInt64(one.labelEnd) << 16) &* FNV1a.prime
    }
    for byte in labels { hash = (hash ^ UInt64(byte)) &* FNV1a.prime }
    for one in edges { hash = (hash ^ UInt64(UInt(bitPattern: ObjectIdentifier(one).hashValue))) &* FNV1a.prime }
    self.valueCount = valueCount
    self.histogramCount = histogramCount
    self.hash = hash ^ hash >> 32
  }

  func isSame(as other: SeriesRun) -> Bool {
    self === other
      || family == other.family && series == other.series && labels == other.labels
        && edges.elementsEqual(other.edges, by: ===)
  }

  /// How many numbers one of the series has: the buckets of a histogram, its count, and its sum where it is known.
  func valueCount(of one: Series) -> Int {
    one.part.isHistogram ? one.part.valueCount(edges: edges[Int(one.edges)].count) : 1
  }
}

/// Which series of a family a number belongs to.
enum SamplePart: UInt8, Sendable {
  case value, sum, count
  /// Buckets, count and sum.
  case histogram
  /// Buckets and count, where the source knows no sum.
  case sumlessHistogram
  /// Stands for a whole summary while samples are being collected; in no run.
  case summary

  var isHistogram: Bool { self == .histogram || self == .sumlessHistogram }

  fileprivate func valueCount(edges: Int) -> Int {
    switch self {
    case .histogram: edges + 2
    case .sumlessHistogram: edges + 1
    case .value, .sum, .count, .summary: 1
    }
  }
}

/// The runs of all sources, each once.
final class SeriesRunTable: Sendable {
  static let shared = SeriesRunTable()

  private struct State {
    var runs: [UInt64: SeriesRun] = [:]
    /// How many there may be before those that nobody has any more are thrown out.
    var limit = SeriesRunTable.atLeast

    /// Nobody but the table can give away a run that it alone has. Weak references would tell that as well, but they
    /// make every use of a run dear.
    mutating func sweep() {
      var known = runs.map { (hash: $0.key, run: $0.value) }
      runs = [:]
      for index in known.indices where !isKnownUniquelyReferenced(&known[index].run) {
        runs[known[index].hash] = known[index].run
      }
      limit = max(SeriesRunTable.atLeast, runs.count * 2)
    }
  }
  private static let atLeast = 1024
  private let state = Lock(State())

  /// The run that is the same as this one and was there first, or this one. Of two that differ and have one hash, the
  /// second is shared with nobody.
  func shared(_ run: SeriesRun) -> SeriesRun {
    state.withLock { state in
      if let known = state.runs[run.hash] { return known.isSame(as: run) ? known : run }
      if state.runs.count >= state.limit { state.sweep() }
      state.runs[run.hash] = run
      return run
    }
  }

  /// How many there are, those that nobody has any more among them.
  var count: Int { state.withLock { $0.runs.count } }
}

let processSeed = UInt64.random(in: .min ... .max) | 1
