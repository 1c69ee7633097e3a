import Config
import Metrics
import Testing

@testable import Fleet

@Suite struct WatchSummaryTests {
  private func circuits(_ text: String) throws -> KeyWatches.Circuits {
    try WatchPlanTests.workload("watches: {circuits: \(text)}").watches.circuits
  }

  private func found(
    _ failures: [String: Double], locks: (Int, Int) = (0, 0), at seconds: Double = 5
  ) -> WatchFindings {
    var findings = WatchFindings()
    findings.locks = .init(seenCount: locks.0, withoutTTLCount: locks.1)
    findings.circuits = .init(failures: failures)
    findings.endedSeconds = seconds
    return findings
  }

  private func lines(_ summary: WatchSummary) -> [String] {
    var sink = SampleSink()
    summary.add(into: &sink)
    return String(decoding: Exposition().page([sink.finish()]), as: UTF8.self).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }
  }

  @Test func shardsAreTakenTogether() throws {
    let summary = WatchSummary(
      [found(["mail": 2, "pay": 7], locks: (3, 1), at: 9), nil, found(["mail": 5], locks: (4, 2), at: 4)],
      try circuits("{}"))
    #expect(summary.circuits?.map(\.service) == ["mail", "pay"])
    #expect(summary.circuits?.map(\.isOpen) == [true, true], "5 failures are the threshold")
    #expect(summary.locks == .init(seenCount: 7, withoutTTLCount: 3))
    #expect(summary.unknownShardCount == 1 && summary.oldestEndSeconds == 4)
    #expect(lines(summary).contains("redis_locks_without_ttl 3"))
    #expect(lines(summary).contains("redis_circuit_open{service=\"pay\"} 1"))
    #expect(lines(summary).contains("redis_key_watch_omitted{watch=\"circuits\"} 0"))
  }

  /// A series for each of so many services; those with the most failures, and all the open ones are counted.
  @Test func servicesAreBounded() throws {
    var failures: [String: Double] = [:]
    for number in 0..<50 { failures["quiet\(number)"] = 1 }
    for number in 0..<7 { failures["loud\(number)"] = 10 + Double(number) }
    let summary = WatchSummary([found(failures)], try circuits("{max_services: 5}"))
    #expect(summary.circuits?.map(\.service) == ["loud2", "loud3", "loud4", "loud5", "loud6"])
    #expect(summary.openCircuitCount == 7 && summary.omittedCircuitCount == 52)
  }

  @Test func whatIsNotKnownHasNoSeries() throws {
    #expect(lines(WatchSummary([nil, nil], try circuits("{}"))) == ["redis_key_watch_unknown_shards 2"])
    var refused = found([:])
    refused.locks = nil
    #expect(!lines(WatchSummary([refused], try circuits("{}"))).contains { $0.contains("locks") })
  }
}
