import PromQL
import Runtime

/// The series of one test: input that becomes visible as time goes on, and what rules record.
final class UnitTestSeries: SeriesSource {
  private struct State {
    var visible = ArraySource()
    var newest: [Labels: Sample] = [:]
    /// Input not visible yet, the next sample of each series last.
    var waiting: [Labels: [Sample]]
  }
  private let state: Lock<State>

  /// - Parameter input: samples by series, oldest first.
  init(_ input: [Labels: [Sample]]) {
    state = Lock(State(waiting: input.mapValues { $0.reversed() }))
  }

  /// Lets in the input up to and at a time.
  func reveal(throughMilliseconds time: Int64) throws(RuleError) {
    let problem = state.withLock { state -> RuleError? in
      for labels in state.waiting.keys.sorted() {
        while let next = state.waiting[labels]?.last, next.timestampMilliseconds <= time {
          state.waiting[labels]?.removeLast()
          if let problem = Self.insert(next, labels, &state) { return problem }
        }
      }
      return nil
    }
    if let problem { throw problem }
  }

  func append(_ labels: Labels, _ sample: Sample) throws(RuleError) {
    if let problem = state.withLock({ Self.insert(sample, labels, &$0) }) { throw problem }
  }

  /// What a store of Prometheus refuses is refused here too.
  private static func insert(_ sample: Sample, _ labels: Labels, _ state: inout State) -> RuleError? {
    if let last = state.newest[labels], last.timestampMilliseconds >= sample.timestampMilliseconds {
      if last.timestampMilliseconds > sample.timestampMilliseconds {
        return RuleError("out of order sample of \(labels)")
      }
      if last.value.bitPattern == sample.value.bitPattern { return nil }
      return RuleError("duplicate sample for timestamp of \(labels)")
    }
    state.newest[labels] = sample
    state.visible.append([sample], to: labels)
    return nil
  }

  func select(
    _ matchers: [LabelMatcher], fromMilliseconds start: Int64, throughMilliseconds end: Int64
  ) throws -> [Series] {
    // A copy costs a reference; the search needs no lock then.
    let visible = state.withLock { $0.visible }
    return try visible.select(matchers, fromMilliseconds: start, throughMilliseconds: end)
  }
}
