import Redis
import Testing

@testable import Fleet

/// CLUSTER NODES as real servers answered it.
@Suite struct ClusterRepliesTests {
  private func reply(_ server: String, _ name: String) throws -> Reply {
    let bytes = try #require(Fixture.bytes("topologies/\(server)/\(name).resp"))
    return try Replies.read(bytes)[0]
  }

  private static let states = ["steady", "failing", "after-failover"]

  /// The line of each node tells its role, its health and the slots that it owns.
  @Test(arguments: GoldenTests.topologies, states)
  func nodes(server: String, state: String) throws {
    let nodes = ClusterNodes(try #require(try reply(server, "\(state)-cluster-cluster-nodes").bytes)).nodes
    #expect(nodes.count == 6 && Set(nodes.map(\.id)).count == 6)
    #expect(nodes.flatMap(\.slots).reduce(0) { $0 + $1.count } == 16384)
    #expect(nodes.allSatisfy { $0.host == "127.0.0.1" && $0.hostname == nil && $0.port > 8000 })
    #expect(nodes.count { $0.flags.contains("fail") } == (state == "after-failover" ? 1 : 0))
    #expect(nodes.count(where: \.isMaster) == (state == "after-failover" ? 4 : 3))
    #expect(nodes.allSatisfy { $0.movingSlots.isEmpty && $0.configEpoch > 0 && $0.shardID == nil })
  }

  @Test func theLineOfANode() throws {
    let line =
      "aa ::1:7000@17000,name,tls-port=0,shard-id=ss myself,master - 0 0 12 connected 0-5 7 [9->-bb] [10-<-cc] [x->-bb] [11-?-bb] 16384"
    let node = try #require(ClusterNodes(Array(line.utf8)[...]).nodes.first)
    #expect(node.host == "::1" && node.port == 7000 && node.hostname == "name" && node.shardID == "ss")
    #expect(node.configEpoch == 12 && node.slots == [0...5, 7...7])
    #expect(
      node.movingSlots == [
        .init(slot: 9, isLeaving: true, peerID: "bb"), .init(slot: 10, isLeaving: false, peerID: "cc"),
      ])
  }
}
