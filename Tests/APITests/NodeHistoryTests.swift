import PromQL
import Runtime
import Testing
import Web

@testable import API

/// What a node's page reads from the series of the store.
@Suite struct NodeHistoryTests {
  /// The samples of a server that answers every 5 s until `end`.
  private func fixture(until end: Int64) throws -> Fixture {
    let fixture = Fixture()
    func labels(_ name: String) -> Labels { Labels([.init("__name__", "redis_\(name)"), .init("instance", "n")]) }
    for second in stride(from: Fixture.nowSeconds - 3600, through: end, by: 5) {
      try fixture.append(
        [labels("connected_clients"): 12, labels("commands_processed_total"): 100 * Double(second)],
        atSeconds: Double(second))
    }
    return fixture
  }

  private func read(_ fixture: Fixture, asOf: WallTime?) async throws -> [String: (value: Double, ageSeconds: Double)] {
    let history = NodeHistory(
      store: fixture.store, namespace: "redis", instance: "n",
      now: .init(seconds: Double(Fixture.nowSeconds)), asOf: asOf)
    var found: [String: (Double, Double)] = [:]
    for (title, series, _) in await history.read().figures {
      let index = try #require(series.points.lastIndex { $0 != nil })
      found[title] = (try #require(series.last), Double(series.points.count - 1 - index) * series.stepSeconds)
    }
    return found
  }

  @Test func aServerThatAnswersIsShownAsOfNow() async throws {
    let found = try await read(fixture(until: Fixture.nowSeconds), asOf: nil)
    #expect(found["Clients"]?.value == 12 && found["Clients"]?.ageSeconds == 0)
    #expect(abs((found["Commands"]?.value ?? 0) - 100) < 0.1 && found["Commands"]?.ageSeconds == 0)
  }

  /// A range of samples gives a rate for as long as it reaches back, and a lower one with each second: none of that did the
  /// server say.
  @Test func nothingIsShownOfAfterTheLastAnswer() async throws {
    let last = Fixture.nowSeconds - 100
    let found = try await read(fixture(until: last), asOf: .init(seconds: Double(last)))
    #expect(found["Clients"]?.value == 12)
    #expect(abs((found["Commands"]?.value ?? 0) - 100) < 0.1)
    for name in ["Clients", "Commands"] {
      #expect((100..<131).contains(found[name]?.ageSeconds ?? 0), "\(name): of no later than the answer")
    }
  }

  @Test func aMasterHasNoLagOfTheTimeWhenItWasAReplica() {
    var known = NodeHistory.Known()
    known.figures = [
      ("Commands", TimeSeries([1, 2], unit: .perSecond, stepSeconds: 30), "over 60 s"),
      (NodeHistory.lag, TimeSeries([109, nil], unit: .seconds, stepSeconds: 30), ""),
    ]
    var master = NodePage("a", metricsPath: "/metrics", nowSeconds: 0)
    master.take(known)
    #expect(master.figures.map(\.title) == ["Commands"])
    var replica = NodePage("b", metricsPath: "/metrics", nowSeconds: 0)
    replica.figures = [NodePage.Figure(NodeHistory.lag, "0 s")]
    replica.take(known)
    #expect(replica.figures.map(\.title) == [NodeHistory.lag, "Commands"] && replica.figures[0].series != nil)
  }
}
