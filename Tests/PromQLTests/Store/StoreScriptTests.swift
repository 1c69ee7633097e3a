import Testing

@testable import PromQL

/// The scripts of the evaluator once more, over a store instead of plain arrays.
@Suite(.timeLimit(.minutes(1))) struct StoreScriptTests {
  @Test(arguments: ScriptTests.runs)
  func everyEvalHolds(_ file: String, _ dialect: Dialect) throws {
    var loaded = ArraySource()
    var store = SeriesStore(policy: .everything)
    var compared = 0
    for command in try Script(Fixtures.text(file), file: file).commands {
      switch command {
      case .clear:
        loaded = ArraySource()
        store = SeriesStore(policy: .everything)
      case .load(let step, let series):
        for notation in series { loaded.append(notation.samples(stepMilliseconds: step), to: notation.labels) }
        store = try Self.store(of: loaded)
      case .loadUnsupported: break
      case .eval(let eval):
        guard !eval.mustFail else { continue }
        let query = try Query(eval.query, dialect: dialect, origin: QueryOrigin(file: file, line: eval.line))
        let value =
          switch eval.moment {
          case .instant(let time): try query.value(atMilliseconds: time, in: store).value
          case .range(let start, let end, let step):
            try query.values(fromMilliseconds: start, throughMilliseconds: end, stepMilliseconds: step, in: store).value
          }
        let mismatch = ScriptComparison(eval).mismatch(of: value)
        #expect(mismatch == nil, "\(file):\(eval.line): \(eval.query)")
        compared += 1
      }
    }
    #expect(compared > 0)
  }

  /// The same series, appended time by time.
  private static func store(of source: ArraySource) throws -> SeriesStore {
    let bench = StoreBench()
    var batches: [Int64: [Labels: Double]] = [:]
    for series in try source.select([], fromMilliseconds: .min, throughMilliseconds: .max) {
      for sample in series.samples { batches[sample.timestampMilliseconds, default: [:]][series.labels] = sample.value }
    }
    for (time, batch) in batches.sorted(by: { $0.key < $1.key }) {
      let report = try bench.append(batch, at: time, isComplete: false)
      #expect(report.appended == batch.count)
    }
    return bench.store
  }
}
