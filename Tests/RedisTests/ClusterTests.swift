import Testing

@testable import Redis

@Suite struct ClusterTests {
  static let slots: [(key: String, slot: Int)] = [
    ("foo", 12182), ("bar", 5061), ("123456789", 12739), ("", 0), ("{user1000}.following", 3443),
    ("{user1000}.followers", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("foo{bar}{zap}", 5061), ("{", 4092),
  ]

  @Test(arguments: slots) func aKeyHasItsSlot(key: String, slot: Int) {
    #expect(clusterSlot(of: Array(key.utf8)) == slot)
  }

  @Test func crcIsXmodem() {
    #expect(crc16("123456789".utf8) == 0x31c3)
  }

  /// Captured from redis 7.0.15, right after one master was killed; hostnames added to two lines.
  static let text = """
    a14deaae254c6d43844813dc856ca90ac71d3556 127.0.0.1:8305@18305 master - 0 1795413289173 7 connected 0-5460
    1abde5df60e6befa5705654613b2020d2c2f1e66 127.0.0.1:8302@18302,node2.example master - 0 1795413289072 3 connected 10923-16383
    fd7735556589b19caf7a7c77cf57e84745294240 127.0.0.1:8301@18301,,tls-port=0,shard-id=ab myself,master - 0 1795413289000 2 connected 5461-10922 [93->-1abde5df60e6befa5705654613b2020d2c2f1e66]
    de03091d1c0304f089932b330a471814b99c50ee 127.0.0.1:8303@18303 slave fd7735556589b19caf7a7c77cf57e84745294240 0 1795413289173 2 connected
    8b2b98cc46e1dceb2049185150949c7d708d0379 127.0.0.1:8300@18300 master,fail - 1795413274096 1795413273091 1 disconnected
    ecbdbf884bf0fd60721340833b49db4ec9b172bf 127.0.0.1:8304@18304 slave 1abde5df60e6befa5705654613b2020d2c2f1e66 0 1795413289174 3 connected

    """

  @Test func readsEveryNode() throws {
    let nodes = ClusterNodes(Array(Self.text.utf8)[...]).nodes
    #expect(nodes.count == 6)
    let moved = try #require(nodes.first)
    #expect(moved.id == "a14deaae254c6d43844813dc856ca90ac71d3556")
    #expect(moved.host == "127.0.0.1" && moved.port == 8305 && moved.hostname == nil)
    #expect(moved.slots == [0...5460] && moved.isMaster && moved.isReachable && moved.isLinkConnected)
    #expect(nodes[1].hostname == "node2.example")
    #expect(nodes[2].isMyself && nodes[2].hostname == nil && nodes[2].slots == [5461...10922])
    #expect(nodes[3].masterID == nodes[2].id && !nodes[3].isMaster)
    #expect(!nodes[4].isReachable && !nodes[4].isLinkConnected && nodes[4].slots.isEmpty)
  }

  @Test func servingMastersCoverAllSlotsInOrder() {
    let masters = ClusterNodes(Array(Self.text.utf8)[...]).servingMasters
    #expect(masters.map(\.port) == [8305, 8301, 8302])
    #expect(masters.flatMap { $0.slots }.reduce(0) { $0 + $1.count } == ClusterNodes.slotCount)
  }

  static let odd: [(line: String, host: String?, port: Int?, slots: [ClosedRange<Int>])] = [
    ("id :0@0 myself,master - 0 0 1 connected 7", "", 0, [7...7]),
    ("id :7000@17000 myself,master - 0 0 1 connected", "", 7000, []),
    ("id ::1:7000@17000 master - 0 0 1 connected 1-2 5", "::1", 7000, [1...2, 5...5]),
    ("id 10.0.0.1:7000 master - 0 0 1 connected 0-16384 9-3 -1 x", "10.0.0.1", 7000, []),
    ("id 10.0.0.1:70000@1 master - 0 0 1 connected", nil, nil, []), ("id 10.0.0.1:1 master - 0 0", nil, nil, []),
    ("", nil, nil, []), ("id nothing master - 0 0 1 connected", nil, nil, []),
  ]

  @Test(arguments: odd) func oddLines(line: String, host: String?, port: Int?, slots: [ClosedRange<Int>]) {
    let nodes = ClusterNodes(Array((line + "\r\n").utf8)[...]).nodes
    #expect(nodes.first?.host == host)
    #expect(nodes.first?.port == port)
    #expect(nodes.first?.slots ?? [] == slots)
  }
}
