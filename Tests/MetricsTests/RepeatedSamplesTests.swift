import Runtime
import TestSupport
import Testing

@testable import Metrics

/// A source that is read again: what is the same as before must look as if it had been collected for the first time.
@Suite struct RepeatedSamplesTests {
  static let bare = Family.gauge("repeat_test_bare", "A test.")
  static let single = Family.counter("repeat_test_single_total", "A test.", labels: ["cmd"])
  static let pair = Family.gauge("repeat_test_pair", "A test.", labels: ["a", "b"])
  static let timed = Family.histogram("repeat_test_seconds", "A test.", labels: ["cmd"])
  static let quantiles = Family.summary("repeat_test_quantiles", "A test.", labels: ["cmd"])
  static let edges = [HistogramEdges(["1", "2.5"]), HistogramEdges(["1", "2.5", "10"])]

  /// What a collector may do.
  private enum Step {
    case bare(Double)
    case single(Double, LabelValue)
    case pair(Double, LabelValue, LabelValue)
    case histogram(LabelValue, HistogramEdges, [Double], sum: Double?)
    case summary(LabelValue, [(LabelValue, Double)])

    func add(to sink: inout SampleSink) {
      switch self {
      case .bare(let value): sink.add(RepeatedSamplesTests.bare, value)
      case .single(let value, let label): sink.add(RepeatedSamplesTests.single, value, label)
      case .pair(let value, let first, let second): sink.add(RepeatedSamplesTests.pair, value, [first, second])
      case .histogram(let label, let edges, let counts, let sum):
        sink.addHistogram(timed, [label], edges: edges, cumulative: counts, count: 9, sum: sum)
      case .summary(let label, let values):
        sink.addSummary(
          quantiles, [label], quantiles: values.map { (quantile: $0.0, value: $0.1) }, count: 3, sum: 4.5)
      }
    }
  }

  private static func label(_ random: inout some RandomNumberGenerator) -> LabelValue {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: .bytes([0xff, 0x22, 0x5c, 0x0a])
    case 1: .text("é\"\\\n,b=\"")
    case 2: .absent
    // As long as two labels of another series together.
    case 3: .bytes(Array("x\",b=\"y".utf8)[...])
    case 4...7: .bytes(Array("c\(Int.random(in: 0..<6, using: &random))".utf8)[...])
    default: .text("c\(Int.random(in: 0..<6, using: &random))")
    }
  }

  private static func step(_ random: inout some RandomNumberGenerator) -> Step {
    let value = Double(Int.random(in: 0..<1000, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return .bare(value)
    case 1, 2, 3: return .single(value, label(&random))
    case 4, 5: return .pair(value, label(&random), label(&random))
    case 6:
      let edges = edges[Int.random(in: 0..<2, using: &random)]
      return .histogram(
        label(&random), edges, edges.bounds.indices.map { Double($0) + value },
        sum: Bool.random(using: &random) ? value : nil)
    default:
      let count = Int.random(in: 0..<3, using: &random)
      return .summary(label(&random), (0..<count).map { (.text("0.\($0 % 2)"), value + Double($0)) })
    }
  }

  private static func page(_ samples: Samples) -> [UInt8] { Exposition().page([samples]) }

  @Test func repeatedIsAsCollected() {
    var random = FixedRandom(state: 11)
    var (wholes, others) = (0, 0)
    for _ in 0..<300 {
      var steps = (0..<Int.random(in: 0..<30, using: &random)).map { _ in Self.step(&random) }
      var last = Samples.none
      for _ in 0..<12 {
        var (again, first) = (SampleSink(limit: 40, after: last), SampleSink(limit: 40))
        for step in steps {
          step.add(to: &again)
          step.add(to: &first)
        }
        let (repeated, collected) = (again.finish(), first.finish())
        #expect(Self.page(repeated) == Self.page(collected))
        #expect(repeated.count == collected.count)
        #expect(again.duplicateCount == first.duplicateCount && again.overflowCount == first.overflowCount)
        // Runs of the same series are one object, so that sources share them.
        let areShared = repeated.runs.elementsEqual(collected.runs) { $0 === $1 }
        #expect(areShared)
        if repeated.runs.elementsEqual(last.runs, by: ===) { wholes += 1 } else { others += 1 }
        last = repeated
        // Most polls differ in numbers alone.
        guard Int.random(in: 0..<3, using: &random) == 0, !steps.isEmpty else { continue }
        let place = Int.random(in: 0..<steps.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: steps.remove(at: place)
        case 1: steps.insert(Self.step(&random), at: place)
        case 2: steps.swapAt(place, 0)
        default: steps[place] = Self.step(&random)
        }
      }
    }
    #expect(wholes > 1000 && others > 500)
  }

  @Test func numbersAreThoseOfThisTime() {
    func samples(_ value: Double, after last: Samples) -> Samples {
      var sink = SampleSink(after: last)
      sink.add(Self.single, value, .text("get"))
      sink.addHistogram(
        Self.timed, [.text("get")], edges: Self.edges[0], cumulative: [value, value], count: 9, sum: value)
      sink.addSummary(
        Self.quantiles, [.text("get")], quantiles: [(quantile: "0.5", value: value)], count: 2, sum: value)
      return sink.finish()
    }
    let first = samples(1, after: .none)
    let second = samples(2, after: first)
    let areShared = first.runs.elementsEqual(second.runs) { $0 === $1 }
    #expect(areShared)
    #expect(Self.page(second) == Self.page(samples(2, after: .none)))
    #expect(Self.page(first) == Self.page(samples(1, after: .none)))
  }

  @Test func runsThatNobodyHasAreForgotten() {
    let before = SeriesRunTable.shared.count
    for number in 0..<20_000 {
      var sink = SampleSink()
      sink.add(Self.single, 1, .text("gone \(number)"))
      _ = sink.finish()
    }
    #expect(SeriesRunTable.shared.count < max(before, 1024) * 2 + 1024)
  }

  @Test func aFurtherLabelIsGivenAgainToNewNumbers() {
    var label = FurtherLabel(exceptTo: [])
    func page(_ value: Double, _ role: LabelValue) -> String {
      var sink = SampleSink()
      sink.add(Self.single, value, .text("get"))
      return String(decoding: Self.page(label.add("role", role, to: sink.finish())), as: UTF8.self)
    }
    #expect(page(1, "master").hasSuffix("{cmd=\"get\",role=\"master\"} 1\n"))
    #expect(page(2, "master").hasSuffix("{cmd=\"get\",role=\"master\"} 2\n"))
    #expect(page(3, "slave").hasSuffix("{cmd=\"get\",role=\"slave\"} 3\n"))
  }
}

/// How numbers are printed: as the standard library prints them, but for whole ones.
@Suite struct PrintedNumberTests {
  private func printed(_ value: Double) -> String {
    var writer = PageWriter(capacity: 64)
    writer.append(value)
    return String(decoding: writer.take(), as: UTF8.self)
  }

  @Test func fractionsAreTheShortest() {
    var random = FixedRandom(state: 5)
    for _ in 0..<200_000 {
      let digits = Double(UInt64.random(in: 0..<1_000_000_000_000_000, using: &random))
      let scale: Double = [1e1, 1e3, 1e6, 1e8, 1e9, 1e10, 1e15][Int.random(in: 0..<7, using: &random)]
      let shift: Double = [1, 1e3, 1e6, 1e9, 1e12][Int.random(in: 0..<5, using: &random)]
      let sign: Double = Bool.random(using: &random) ? -1 : 1
      let value: Double = sign * (digits / shift).rounded() / scale
      guard value != value.rounded() else { continue }
      #expect(printed(value) == value.description)
    }
    for _ in 0..<100_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite, value != value.rounded() else { continue }
      #expect(printed(value) == value.description)
    }
  }

  @Test func edges() {
    let cases: [(Double, String)] = [
      (0, "0"), (-0.0, "0"), (0.1, "0.1"), (-0.1, "-0.1"), (0.0001, "0.0001"), (0.00001, "1e-05"), (1.5, "1.5"),
      (0.1 + 0.2, "0.30000000000000004"), (999_999_999.999999, "999999999.999999"), (1e21, "1e+21"),
      (9_007_199_254_740_992, "9007199254740992"), (-9_007_199_254_740_992, "-9007199254740992"),
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (123_456_789, "123456789"), (10, "10"), (-1, "-1"),
    ]
    for (value, text) in cases { #expect(printed(value) == text) }
  }
}
