import Runtime

/// A count of the daemon's own that only rises.
public final class Counter: Sendable {
  public let family: Family
  private let state = Lock(0.0)

  public init(_ family: Family) {
    precondition(family.type == .counter)
    self.family = family
  }

  public var value: Double { state.withLock { $0 } }
  public func add(_ amount: Double = 1) { state.withLock { $0 += amount } }
  public func collect(into sink: inout SampleSink) { sink.add(family, value) }
}

/// Counts of the daemon's own under the values of one label, at most `limit` of them; the rest is `other`.
public final class LabelledCounter: Sendable {
  public let family: Family
  private let limit: Int
  private let state = Lock([String: Double]())

  public init(_ family: Family, limit: Int = 64) {
    precondition(family.type == .counter && family.labelNames.count == 1)
    self.family = family
    self.limit = limit
  }

  /// Makes the series exist at 0, so that `increase()` sees the first event.
  public func initialize(_ labels: [String]) {
    state.withLock { counts in for label in labels { counts[label, default: 0] += 0 } }
  }

  public func add(_ amount: Double = 1, _ label: String) {
    state.withLock { counts in
      let isKnown = counts[label] != nil || counts.count < limit
      counts[isKnown ? label : "other", default: 0] += amount
    }
  }

  public func collect(into sink: inout SampleSink) {
    for (label, value) in state.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      sink.add(family, value, .text(label))
    }
  }
}

/// Observations of the daemon's own: their number and sum, and how many lie at or below each edge.
public final class Histogram: Sendable {
  public let family: Family
  private let edges: [Double]
  private let printedEdges: HistogramEdges
  private struct State {
    var counts: [Double]
    var sum = 0.0
    var count = 0.0
  }
  private let state: Lock<State>

  /// - Parameter edges: upper bounds in the family's unit, ascending, without +Inf. For a summary: none.
  public init(_ family: Family, edges: [Double] = []) {
    precondition(family.labelNames.isEmpty && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 })
    self.family = family
    self.edges = edges
    printedEdges = HistogramEdges(edges.map(\.description))
    state = Lock(State(counts: [Double](repeating: 0, count: edges.count)))
  }

  public func observe(_ value: Double) {
    state.withLock { state in
      state.sum += value
      state.count += 1
      if let index = edges.firstIndex(where: { value <= $0 }) { state.counts[index] += 1 }
    }
  }

  public func collect(into sink: inout SampleSink) {
    let state = state.withLock { $0 }
    if family.type == .summary {
      sink.addSummary(family, [], quantiles: [], count: state.count, sum: state.sum)
      return
    }
    var total = 0.0
    let cumulative = state.counts.map { count in
      total += count
      return total
    }
    sink.addHistogram(
      family, [], edges: printedEdges, cumulative: cumulative, count: state.count, sum: state.sum)
  }
}
