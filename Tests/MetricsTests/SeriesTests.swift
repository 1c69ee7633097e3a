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
    var role = FurtherLabel(exceptTo: [Self.timed])
    let samples = role.add("role", .text("a\"b"), to: Self.samples(7))
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

  private static func page(_ sources: [String: Samples]) -> Registry.Page {
    let sorted = sources.sorted { $0.key < $1.key }
    return Registry.Page(generation: 1, sources: sorted.map(\.value), keys: sorted.map(\.key))
  }

  @Test func otherValuesAreTheSameSeriesAndOtherLabelsAreNot() {
    var reader = PageValuesReader(Self.selection)
    func read(_ samples: Samples) -> PageValues { reader.values(of: Self.page(["a": samples])) }
    let first = read(Self.samples(1))
    #expect(first.values == [1, 1, 2, 3, 4, 3])
    let second = read(Self.samples(2))
    #expect(second.values == [2, 1, 2, 3, 4, 3])
    #expect(second.sources == first.sources)
    let others = [
      read(Self.samples(1, sum: nil)), read(Self.samples(1).with(constantLabels: [("workload", .text("v"))])),
      read(Self.samples(1)),
    ]
    #expect(others.map(\.values.count) == [5, 6, 6])
    #expect(Set(([second] + others).map { $0.sources[0].stamp }).count == 4)
  }

  @Test func sourcesComeAndGo() {
    var reader = PageValuesReader(Self.selection)
    let first = reader.values(of: Self.page(["a": Self.samples(1), "c": Self.samples(3)]))
    let second = reader.values(of: Self.page(["b": Self.samples(2), "c": Self.samples(4)]))
    #expect(second.sources.map(\.range) == [0..<6, 6..<12])
    #expect(second.values[6] == 4)
    #expect(second.sources[1].stamp == first.sources[1].stamp)
    let third = reader.values(of: Self.page(["a": Self.samples(1), "b": .none, "c": Self.samples(3)]))
    #expect(third.sources.map(\.count) == [6, 0, 6])
    #expect(third.sources[0].stamp > second.sources[0].stamp, "it was gone meanwhile")
    #expect(third.sources[2].stamp == first.sources[1].stamp)
  }

  @Test func aDigestTellsOfChangesInItsFamiliesOnly() {
    var families = FamilySelection(namespace: "redis") { $0 == "redis_series_test_plain" }
    let before = Self.samples(1).digest(of: &families)
    #expect(before == Self.samples(1, sum: 5).digest(of: &families))
    #expect(before != Self.samples(2).digest(of: &families))
  }
}
