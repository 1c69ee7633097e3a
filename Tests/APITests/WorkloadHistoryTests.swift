import Fleet
import PromQL
import Runtime
import Testing
import Web

@testable import API

/// What a workload's page reads from the series of the store, beside its figures.
@Suite struct WorkloadHistoryTests {
  private static let now = Fixture.nowSeconds

  private func reader(_ fixture: Fixture) -> HistoryReader {
    HistoryReader(
      store: fixture.store, namespace: "redis", subject: ("workload", "queues"),
      now: .init(seconds: Double(Self.now)))
  }

  private func labels(_ name: String, _ more: (String, String)...) -> Labels {
    Labels([.init("__name__", name), .init("workload", "queues")] + more.map { .init($0.0, $0.1) })
  }

  /// An alert that fired twice is two bars on one line; what waits, what always fires and what is another workload's is none.
  @Test func alertsAndWindowsAreBars() async throws {
    let fixture = Fixture()
    let firing = labels("ALERTS", ("alertname", "RedisDown"), ("alertstate", "firing"), ("severity", "critical"))
    let waiting = labels("ALERTS", ("alertname", "RedisLag"), ("alertstate", "pending"), ("severity", "warning"))
    let always = labels("ALERTS", ("alertname", "Watchdog"), ("alertstate", "firing"), ("severity", "none"))
    let other = Labels([
      .init("__name__", "ALERTS"), .init("alertname", "RedisDown"), .init("alertstate", "firing"),
      .init("severity", "critical"), .init("workload", "cache"),
    ])
    let window = labels("redis_workload_in_maintenance")
    for second in stride(from: Self.now - 900, through: Self.now, by: 5) {
      let age = Self.now - second
      var samples = [waiting: 1.0, always: 1, other: 1, window: age > 600 ? 1 : 0]
      if (500...700).contains(age) || age <= 100 { samples[firing] = 1 }
      try fixture.append(samples, atSeconds: Double(second))
    }
    let known = await WorkloadHistory(reader: reader(fixture), span: .quarter, traffic: WorkloadTraffic()).read()
    #expect(known.problem == nil && known.lanes.map(\.title) == ["Maintenance", "RedisDown"])
    let down = try #require(known.lanes.last)
    #expect(down.level == .grave && down.bars.count == 2)
    // A sample counts for a minute.
    #expect(abs(down.bars[0].from - 200.0 / 900) < 0.02 && abs(down.bars[0].to - 460.0 / 900) < 0.02)
    #expect(abs(down.bars[1].from - 800.0 / 900) < 0.02 && down.bars[1].to > 0.99)
    #expect(abs(try #require(known.lanes.first?.bars.first).to - 300.0 / 900) < 0.02)
  }

  @Test func streamsHaveARowForEachGroup() throws {
    let fixture = Fixture()
    func stream(_ family: String, _ stream: String, _ group: String? = nil) -> Labels {
      let labels = labels("redis_stream_\(family)", ("db", "db0"), ("stream", stream))
      return group.map { Labels(labels.pairs + [.init("group", $0)]) } ?? labels
    }
    try fixture.append(
      [
        stream("length", "orders"): 120, stream("length", "audit"): 7, stream("group_lag", "orders", "billing"): 42,
        stream("group_lag_seconds", "orders", "billing"): 312, stream("group_consumers", "orders", "billing"): 2,
        stream("group_consumers", "orders", "shipping"): 0,
        stream("group_oldest_pending_seconds", "orders", "billing"): 9,
      ], atSeconds: Double(Self.now))
    let rows = StreamReader(reader(fixture)).rows().sorted { ($0.stream, $0.group) < ($1.stream, $1.group) }
    #expect(rows.map(\.stream) == ["audit", "orders", "orders"] && rows.map(\.group) == ["", "billing", "shipping"])
    #expect(rows.map(\.length) == [7, 120, 120] && rows.map(\.lag) == [nil, 42, nil])
    #expect(rows.map(\.lagSeconds) == [nil, 312, nil] && rows.map(\.consumers) == [nil, 2, 0])
    #expect(rows[1].oldestPendingSeconds == 9 && rows[1].pending == nil)
  }
}
