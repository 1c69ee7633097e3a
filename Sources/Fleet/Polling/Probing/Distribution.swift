import Metrics

/// Observations by size: how many lie in each bucket, and their number and sum.
struct Distribution: Sendable {
  /// The bounds of buckets, shared by all distributions of a family.
  struct Bounds: Sendable {
    let values: [Double]
    let printed: HistogramEdges

    /// - Parameter values: upper bounds in the family's unit, ascending, without +Inf.
    init(_ values: [Double]) {
      self.values = values
      printed = HistogramEdges(values.map(\.description))
    }
  }

  let bounds: Bounds
  private var counts: [Double]
  private(set) var count = 0.0
  private(set) var sum = 0.0

  init(_ bounds: Bounds) {
    self.bounds = bounds
    counts = [Double](repeating: 0, count: bounds.values.count)
  }

  mutating func observe(_ value: Double) {
    count += 1
    sum += value
    if let index = bounds.values.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
  }

  /// Observations at or below each bound.
  var cumulative: [Double] {
    var total = 0.0
    return counts.map { count in
      total += count
      return total
    }
  }

  /// Observations up to the first bound that is not below a limit; all where none is.
  func count(within limit: Double) -> Double {
    guard let last = bounds.values.firstIndex(where: { $0 >= limit }) else { return count }
    return counts[...last].reduce(0, +)
  }

  func add(to sink: inout SampleSink, as family: Family) {
    sink.addHistogram(family, [], edges: bounds.printed, cumulative: cumulative, count: count, sum: sum)
  }
}
