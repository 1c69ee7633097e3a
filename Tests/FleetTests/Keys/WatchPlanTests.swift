import Config
import Testing

@testable import Fleet

@Suite struct WatchPlanTests {
  static func workload(_ fields: String, kind: String = "custom, topology: replication") throws -> WorkloadConfig {
    let text = "workloads: [{name: w, kind: \(kind), seeds: ['a:1'], \(fields)}]"
    return try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
  }

  private func plan(_ watches: String, kind: String = "custom, topology: replication") throws -> WatchPlan {
    WatchPlan(try Self.workload("watches: \(watches)", kind: kind).watches, isCluster: false)
  }

  private func key(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func locksAndCircuitsShareAWalk() throws {
    let plan = try plan("{}")
    #expect(plan.walks.count == 1)
    let walk = try #require(plan.walks.first)
    #expect(walk.type == nil && walk.database == 0)
    #expect(walk.match.map { String(decoding: $0, as: UTF8.self) } == "[cl][io][cr][ck][:u]*")
    #expect(walk.interest(in: key("lock:orders")) == WatchPlan.Interest(isLock: true))
    #expect(walk.interest(in: key("circuit:mail:failures")) == WatchPlan.Interest(service: "mail"))
    // What the shared pattern lets through and nobody asked for.
    #expect(walk.interest(in: key("cock:orders")) == nil && walk.interest(in: key("circuit:mail:state")) == nil)
  }

  @Test func databasesAreWalkedApartButForClusters() throws {
    let watches = try Self.workload("watches: {locks: {patterns: ['lock:*', 'db3=mutex:*']}}").watches
    #expect(WatchPlan(watches, isCluster: false).walks.map(\.database) == [0, 3])
    #expect(WatchPlan(watches, isCluster: true).walks.map(\.database) == [0])
    let numbered = try Self.workload("watches: {circuits: {patterns: ['db3=circuit:*']}}").watches
    #expect(WatchPlan(numbered, isCluster: true).walks[0].interest(in: key("circuit:mail"))?.service == "mail")
    let apart = WatchPlan(numbered, isCluster: false).walks
    #expect(apart.first { $0.database == 0 }?.interest(in: key("circuit:mail")) == nil)
    #expect(apart.first { $0.database == 3 }?.interest(in: key("circuit:mail"))?.service == "mail")
  }

  @Test func queuesAreSearchedForStreams() throws {
    let queue = try plan("{locks: {enabled: false}, circuits: {enabled: false}}", kind: "queue")
    #expect(queue.walks.map(\.type) == ["stream"] && queue.walks[0].match == nil && queue.namedStreams.isEmpty)
    #expect(queue.walks[0].interest(in: key("orders")) == WatchPlan.Interest(isStream: true))
    let named = try plan(
      "{streams: {patterns: [orders, 'db2=mails']}, locks: {enabled: false}, circuits: {enabled: false}}")
    #expect(named.walks.isEmpty)
    #expect(
      named.namedStreams.sorted() == [
        StreamName(database: 0, bytes: key("orders")), StreamName(database: 2, bytes: key("mails")),
      ])
  }
}
