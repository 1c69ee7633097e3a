import Testing

@testable import Metrics

@Suite struct SeriesBudgetTests {
  private static let up = Family.gauge("budget_up", "Up.")
  private static let few = Family.gauge("budget_few", "Few.", labels: ["a"])
  private static let many = Family.gauge("budget_many", "Many.", labels: ["a"])
  private static let times = Family.histogram("budget_times", "Times.")

  /// 1 + 3 + 10 + (3 buckets, sum and count) = 19 series.
  private static func server() -> Samples {
    var sink = SampleSink()
    sink.add(up, 1)
    for index in 0..<3 { sink.add(few, 1, [.text("\(index)")]) }
    for index in 0..<10 { sink.add(many, 1, [.text("\(index)")]) }
    sink.addHistogram(times, [], edges: HistogramEdges(["1", "2"]), cumulative: [1, 1], count: 1, sum: 1)
    return sink.finish()
  }

  private static let sources = [server(), server()]

  @Test(arguments: [
    (38, []), (37, ["budget_many"]), (18, ["budget_many"]), (17, ["budget_many", "budget_times"]),
    (7, ["budget_many", "budget_times", "budget_few"]), (1, ["budget_many", "budget_times", "budget_few"]),
  ])
  func familiesWithTheMostSeriesGoFirst(limit: Int, names: [String]) {
    let budget = SeriesBudget(limit: limit, of: Self.sources)
    #expect(budget.count == 38)
    #expect(budget.leftOut.map(\.family.name) == names)
    let left = Self.sources.map(budget.limited).reduce(0) { $0 + $1.count }
    #expect(left == 38 - budget.leftOut.reduce(0) { $0 + $1.count })
    #expect(left <= limit || names.count == 3)
  }

  @Test func whatIsLeftOutIsOnNoPage() {
    let budget = SeriesBudget(limit: 18, of: Self.sources)
    let text = String(decoding: Exposition().page([budget.limited(Self.sources[0])]), as: UTF8.self)
    #expect(!text.contains("budget_many"))
    for name in ["budget_up", "budget_few", "budget_times_sum"] { #expect(text.contains("redis_\(name)")) }
  }
}
