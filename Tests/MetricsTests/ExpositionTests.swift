import Testing

@testable import Metrics

private let up = Family.gauge("test_up", "Whether the test is up.")
private let calls = Family.counter("test_calls_total", "Calls.", labels: ["cmd"])
private let oddCounter = Family.counter("test_reads_processed", "Reads.")
private let keys = Family.gauge("test_keys", "Keys with \\ and\nline.", labels: ["db", "key"])
private let latency = Family.histogram("test_latency_seconds", "Latency.", labels: ["cmd"])
private let percentiles = Family.summary("test_percentiles_usec", "Percentiles.", labels: ["cmd"])
private let openFDs = Family.bare("process_test_fds", .gauge, "Descriptors.")

private func text(_ exposition: Exposition = Exposition(), _ fill: (inout SampleSink) -> Void) -> String {
  var sink = SampleSink()
  fill(&sink)
  return String(decoding: exposition.page([sink.finish()]), as: UTF8.self)
}

@Suite struct ExpositionTests {
  @Test func familiesAreSortedAndWhole() {
    let page = text { sink in
      sink.add(up, 1)
      sink.add(calls, 3, "get")
      sink.add(openFDs, 7)
      sink.add(calls, 4, "config|get")
    }
    #expect(
      page == """
        # HELP process_test_fds Descriptors.
        # TYPE process_test_fds gauge
        process_test_fds 7
        # HELP redis_test_calls_total Calls.
        # TYPE redis_test_calls_total counter
        redis_test_calls_total{cmd="get"} 3
        redis_test_calls_total{cmd="config|get"} 4
        # HELP redis_test_up Whether the test is up.
        # TYPE redis_test_up gauge
        redis_test_up 1

        """)
  }

  @Test func labelValuesAreEscapedAndRepaired() {
    let page = text { sink in
      sink.add(keys, 1, ["db0", "a\"b\\c\nd"])
      sink.add(keys, 2, ["db0", .bytes([0x66, 0xff, 0xfe][...])])
      sink.add(keys, 3, ["db0", .bytes(Array("ключ".utf8)[...])])
      sink.add(keys, 4, [.absent, "x"])
    }
    #expect(page.contains(#"redis_test_keys{db="db0",key="a\"b\\c\nd"} 1"#))
    #expect(page.contains("redis_test_keys{db=\"db0\",key=\"f\u{FFFD}\u{FFFD}\"} 2"))
    #expect(page.contains("redis_test_keys{db=\"db0\",key=\"ключ\"} 3"))
    #expect(page.contains(#"redis_test_keys{key="x"} 4"#))
    #expect(page.contains(#"# HELP redis_test_keys Keys with \\ and\nline."#))
  }

  @Test func aSeriesAppearsOnce() {
    var sink = SampleSink()
    for value in 0..<5000 { sink.add(calls, Double(value), .text("c\(value % 1000)")) }
    sink.add(up, 1)
    sink.add(up, 0)
    #expect(sink.duplicateCount == 4001)
    let lines = String(decoding: Exposition().page([sink.finish()]), as: UTF8.self).split(separator: "\n")
    #expect(lines.filter { !$0.hasPrefix("#") }.count == 1001)
    #expect(lines.contains("redis_test_up 1"))
    #expect(lines.contains(#"redis_test_calls_total{cmd="c7"} 7"#))
  }

  @Test func aFullSinkDropsAndCounts() {
    var sink = SampleSink(limit: 3)
    for value in 0..<5 { sink.add(calls, 1, .text("c\(value)")) }
    #expect(sink.overflowCount == 2)
    #expect(sink.finish().count == 3)
  }

  @Test func sourcesAreMergedUnderTheirConstantLabels() {
    let sources = (0..<3).map { node in
      var sink = SampleSink()
      sink.add(up, Double(node))
      if node != 1 { sink.add(calls, 1, "get") }
      return sink.finish(constantLabels: [("instance", .text("n\"\(node)"))])
    }
    let page = String(decoding: Exposition().page(sources), as: UTF8.self)
    #expect(page.ranges(of: "# TYPE redis_test_up gauge").count == 1)
    #expect(page.contains(#"redis_test_calls_total{cmd="get",instance="n\"2"} 1"#))
    #expect(page.contains(#"redis_test_up{instance="n\"1"} 1"#))
  }

  @Test func histogramsAndSummaries() {
    let page = text { sink in
      sink.addHistogram(
        latency, ["get"], edges: HistogramEdges(["0.001", "0.002"]), cumulative: [1, 3], count: 4, sum: 0.25)
      sink.addSummary(
        percentiles, ["get"], quantiles: [("50", 1.003), ("99.9", 12.5)], count: 4, sum: 9)
    }
    for line in [
      #"redis_test_latency_seconds_bucket{cmd="get",le="0.001"} 1"#,
      #"redis_test_latency_seconds_bucket{cmd="get",le="+Inf"} 4"#,
      #"redis_test_latency_seconds_sum{cmd="get"} 0.25"#,
      #"redis_test_latency_seconds_count{cmd="get"} 4"#,
      #"redis_test_percentiles_usec{cmd="get",quantile="99.9"} 12.5"#,
      #"redis_test_percentiles_usec_count{cmd="get"} 4"#,
    ] { #expect(page.contains(line + "\n"), "\(line)") }
  }

  @Test func aQuantileThatIsRepeatedCountsOnce() {
    let page = text { sink in
      sink.addSummary(percentiles, ["get"], quantiles: [("50", 1), ("99", 2), ("50", 3)], count: 4, sum: 9)
      #expect(sink.duplicateCount == 1)
    }
    #expect(page.contains("redis_test_percentiles_usec{cmd=\"get\",quantile=\"50\"} 1\n"))
    #expect(page.split(separator: "quantile=\"50\"").count == 2)
  }

  @Test func openMetricsNamesAndEnd() {
    let page = text(Exposition(format: .openMetrics)) { sink in
      sink.add(calls, 3, "get")
      sink.add(oddCounter, 2)
    }
    #expect(page.contains("# TYPE redis_test_calls counter\nredis_test_calls_total{cmd=\"get\"} 3\n"))
    #expect(page.contains("# TYPE redis_test_reads_processed unknown\nredis_test_reads_processed 2\n"))
    #expect(page.hasSuffix("# EOF\n"))
  }

  @Test func namespaceAndFilter() {
    let page = text(Exposition(namespace: "", names: ["test_up"])) { sink in
      sink.add(up, 1)
      sink.add(calls, 1, "get")
    }
    #expect(page == "# HELP test_up Whether the test is up.\n# TYPE test_up gauge\ntest_up 1\n")
  }

  @Test func chunksJoinToTheSamePage() {
    var sink = SampleSink()
    for value in 0..<3000 { sink.add(calls, Double(value) / 3, .text("cmd\(value)")) }
    let samples = sink.finish()
    var chunks: [[UInt8]] = []
    Exposition().write([samples], chunkBytes: 1000) { chunks.append($0) }
    #expect(chunks.count > 50)
    #expect(chunks.flatMap { $0 } == Exposition().page([samples]))
    #expect(chunks.allSatisfy { $0.count < 1200 })
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (1e-5, "1e-05"), (1.5e300, "1.5e+300"),
    (9_007_199_254_740_992, "9007199254740992"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    (123456.789, "123456.789"), (9, "9"), (10, "10"), (-100, "-100"), (1005, "1005"),
  ])
  func numbers(value: Double, expected: String) {
    var page = PageWriter(capacity: 1)
    page.append(value)
    #expect(String(decoding: page.take(), as: UTF8.self) == expected)
  }

  @Test func serversMayNameOnlySoManyFamilies() {
    // A table of its own: the process's is shared with the other tests.
    let table = FamilyTable()
    let made = (0..<(FamilyTable.dynamicLimit + 10)).compactMap { table.internDynamic("test_\($0)", help: "Dynamic.") }
    #expect(made.count == FamilyTable.dynamicLimit)
    #expect(table.internDynamic("test_3", help: "Dynamic.") === made[3])
  }

  @Test func aCountersNameIsNotHandedOutAsAGauge() {
    let table = FamilyTable()
    _ = table.intern("reads", .counter, .none, [], "Reads.", namespaced: true)
    #expect(table.internDynamic("reads", help: "x") == nil)
  }
}
