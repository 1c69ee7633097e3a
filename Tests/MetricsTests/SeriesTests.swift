import Testing

@testable import Metrics

/// Samples as series, for the daemon's own rules.
@Suite struct SeriesTests {
  static let plain = Family.gauge("series_test_plain", "A test.", labels: ["a"])
  static let timed = Family.histogram("series_test_seconds", "A test.", labels: ["cmd"])
  static let other = Family.gauge("series_test_other", "A test.")
  static let edges = HistogramEdges(["1", "2.5"])

  static func samples(_ value: Double, sum: Double? = 4) -> Samples {
    var sink = SampleSink()
    sink.add(plain, value, .text("x\"\\\n,=y"))
    sink.add(other, 9)
    sink.addHistogram(timed, [.text("get")], edges: edges, cumulative: [1, 2], count: 3, sum: sum)
    return sink.finish(constantLabels: [("workload", .text("w"))])
  }

  static var selection: FamilySelection {
    FamilySelection(namespace: "redis") { $0.hasPrefix("redis_series_test_") && $0 != "redis_series_test_other" }
  }

  @Test func aFurtherLabelComesLastAndSparesFamilies() {
    let samples = Self.samples(7).adding("role", .text("a\"b"), exceptTo: [Self.timed])
    let lines = String(decoding: Exposition().page([samples]), as: UTF8.self).split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("redis_series_test_other{") && $0.contains(#"role="a\"b",workload="w"} 9"#) })
    let plain = lines.first { $0.hasPrefix("redis_series_test_plain{") }
    #expect(plain?.hasSuffix(#",role="a\"b",workload="w"} 7"#) == true)
    #expect(lines.contains { $0.hasPrefix("redis_series_test_seconds_bucket{") })
    #expect(!lines.contains { $0.hasPrefix("redis_series_test_seconds") && $0.contains("role") })
  }

  @Test func everySeriesHasItsValueInStep() {
    var families = Self.selection
    var texts: [String] = []
    Self.samples(7).forEachSeries(of: &families, namespace: "redis", areEdgesFloats: true) { series in
      texts.append(series.name + series.labels.map { " \($0.name)=\($0.value)" }.joined())
    }
    var values: [Double] = []
    Self.samples(7).appendValues(of: &families, to: &values)
    #expect(
      texts == [
        "redis_series_test_plain a=x\"\\\n,=y workload=w",
        "redis_series_test_seconds_bucket cmd=get workload=w le=1.0",
        "redis_series_test_seconds_bucket cmd=get workload=w le=2.5",
        "redis_series_test_seconds_bucket cmd=get workload=w le=+Inf",
        "redis_series_test_seconds_sum cmd=get workload=w", "redis_series_test_seconds_count cmd=get workload=w",
      ])
    #expect(values == [7, 1, 2, 3, 4, 3])
  }

  @Test func valuesDoNotMakeOtherSeriesAndLabelsDo() {
    #expect(Self.samples(1).hasSameSeries(as: Self.samples(2)))
    #expect(!Self.samples(1).hasSameSeries(as: Self.samples(1, sum: nil)))
    #expect(!Self.samples(1).hasSameSeries(as: Self.samples(1).with(constantLabels: [("workload", .text("v"))])))
  }

  @Test func aDigestTellsOfChangesInItsFamiliesOnly() {
    var families = FamilySelection(namespace: "redis") { $0 == "redis_series_test_plain" }
    let before = Self.samples(1).digest(of: &families)
    #expect(before == Self.samples(1, sum: 5).digest(of: &families))
    #expect(before != Self.samples(2).digest(of: &families))
  }
}
