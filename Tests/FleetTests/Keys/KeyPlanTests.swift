import Config
import Testing

@testable import Fleet

@Suite struct KeyPlanTests {
  static func workload(_ fields: String, kind: String = "custom, topology: replication") throws -> WorkloadConfig {
    let text = "workloads: [{name: w, kind: \(kind), seeds: ['a:1'], \(fields)}]"
    return try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
  }

  /// The watches that are named as they are by default, and all others off.
  static func only(_ blocks: Set<String>) -> String {
    let others = KeyWatchCatalogue.ofWorkloads.filter { $0.listLimit == nil }.map { $0.block }
      .filter { !blocks.contains($0) }
    return "{\(others.map { "\($0): {enabled: false}" }.joined(separator: ", "))}"
  }

  private func plan(_ watches: String, kind: String = "custom, topology: replication") throws -> KeyPlan {
    KeyPlan(try Self.workload("watches: \(watches)", kind: kind).watches.keyWatches, hasOneDatabase: false)
  }

  private func key(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func locksAndCircuitsShareAWalk() throws {
    let plan = try plan(Self.only(["locks", "circuits"]))
    #expect(plan.walks.count == 1)
    let walk = try #require(plan.walks.first)
    #expect(walk.type == nil && walk.database == 0)
    #expect(walk.match.map { String(decoding: $0, as: UTF8.self) } == "[cl][io][cr][ck][:u]*")
    #expect(walk.interests(in: key("lock:orders")) == [KeyPlan.Interest(run: 0, matching: [0])])
    #expect(walk.interests(in: key("circuit:mail:failures")) == [KeyPlan.Interest(run: 1, matching: [0])])
    // What the shared pattern lets through and nobody asked for.
    #expect(walk.interests(in: key("cock:orders")) == [] && walk.interests(in: key("circuit:mail:state")) == [])
  }

  @Test func databasesAreWalkedApartButForClusters() throws {
    let watches = try Self.workload("watches: {locks: {patterns: ['lock:*', 'db3=mutex:*']}}").watches.keyWatches
      .filter { $0 is LockWatch }
    #expect(KeyPlan(watches, hasOneDatabase: false).walks.map(\.database) == [0, 3])
    #expect(KeyPlan(watches, hasOneDatabase: true).walks.map(\.database) == [0])
    let numbered = try Self.workload("watches: {circuits: {patterns: ['circuit:*:a', 'db3=circuit:*']}}").watches
    let apart = KeyPlan(numbered.keyWatches, hasOneDatabase: false).walks
    #expect(apart.first { $0.database == 0 }?.interests(in: key("circuit:mail")) == [])
    #expect(apart.first { $0.database == 3 }?.interests(in: key("circuit:mail:a")).map(\.matching) == [[1]])
    let whole = KeyPlan(numbered.keyWatches, hasOneDatabase: true).walks
    #expect(whole.map { $0.interests(in: key("circuit:mail:a")).map(\.matching) } == [[[0, 1]]])
  }

  @Test func queuesAreSearchedForStreams() throws {
    let queue = try plan(Self.only(["streams"]), kind: "queue")
    #expect(queue.walks.map(\.type) == ["stream"] && queue.walks[0].match == nil)
    #expect(queue.walks[0].interests(in: key("orders")) == [KeyPlan.Interest(run: 0, matching: [0])])
    let named = try Self.workload("watches: {streams: {patterns: [orders, 'db2=mails']}}")
    let streams = try #require(named.watches.keyWatches.first { $0 is StreamWatch })
    #expect(KeyPlan([streams], hasOneDatabase: false).walks.isEmpty)
    #expect(streams.names == [KeyPattern(database: 0, pattern: "orders"), KeyPattern(database: 2, pattern: "mails")])
  }
}
