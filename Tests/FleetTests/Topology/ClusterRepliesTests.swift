import Redis
import Testing

@testable import Fleet

/// CLUSTER SHARDS, SLOTS and NODES as real servers answered them.
@Suite struct ClusterRepliesTests {
  private func reply(_ server: String, _ name: String) throws -> Reply {
    let bytes = try #require(Fixture.bytes("topologies/\(server)/\(name).resp"))
    return try Replies.read(bytes)[0]
  }

  private static let servers = ["redis-7.0.15", "valkey-8.0.1"]
  private static let states = ["steady", "failing", "after-failover"]

  @Test(arguments: servers, states)
  func shards(server: String, state: String) throws {
    let shards = try #require(ClusterShards(try reply(server, "\(state)-cluster-cluster-shards"))).shards
    let nodes = shards.flatMap(\.nodes)
    #expect(Set(nodes.map(\.id)).count == 6)
    #expect(shards.flatMap(\.slots).reduce(0) { $0 + $1.count } == 16384)
    #expect(
      nodes.allSatisfy { $0.ip == "127.0.0.1" && $0.endpoint == "127.0.0.1" && $0.hostname == nil && $0.tlsPort == nil }
    )
    #expect(nodes.count { $0.health == "fail" } == (state == "after-failover" ? 1 : 0))
    #expect(nodes.count(where: \.isMaster) == (state == "after-failover" ? 4 : 3))
    #expect(nodes.contains { $0.health == "online" && $0.port > 8000 })
    #expect(state == "steady" || nodes.contains { $0.replicationOffset > 0 })
  }

  /// The three replies of one moment name the same owners.
  @Test(arguments: servers, states)
  func slotsAgreeWithNodes(server: String, state: String) throws {
    let slots = try #require(ClusterSlots(try reply(server, "\(state)-cluster-cluster-slots"))).ranges
    let text = try #require(try reply(server, "\(state)-cluster-cluster-nodes").bytes)
    let nodes = ClusterNodes(text)
    #expect(slots.count == 3)
    for range in slots {
      let owner = try #require(nodes.nodes.first { $0.slots == [range.slots] })
      #expect(range.nodes.first == .init(host: owner.host, port: owner.port, id: owner.id))
    }
    #expect(nodes.nodes.allSatisfy { $0.movingSlots.isEmpty && $0.configEpoch > 0 && $0.shardID == nil })
  }

  @Test func unknownHostsAndOddElements() throws {
    let text =
      "*4\r\n*3\r\n:0\r\n:5\r\n*2\r\n$-1\r\n:7000\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$-1\r\n:7000\r\n:5\r\n*3\r\n:6\r\n:5\r\n*0\r\n"
    let slots = try #require(ClusterSlots(try Replies.read(Array(text.utf8))[0]))
    #expect(slots.ranges == [.init(slots: 0...5, nodes: [.init(host: nil, port: 7000, id: nil)])])
    let error = try Replies.read(Array("-ERR This instance has cluster support disabled\r\n".utf8))[0]
    #expect(ClusterSlots(error) == nil && ClusterShards(error) == nil)
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
