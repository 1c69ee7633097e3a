import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Foreign bytes of any shape lead to values, never to a trap, and what is kept stays bounded.
@Suite(.timeLimit(.minutes(1))) struct TopologyFuzzTests {
  static let server = "topologies/redis-7.0.15"

  private func mutated(_ bytes: [UInt8], _ chance: inout FixedRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...12, using: &chance) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &chance)
      switch Int.random(in: 0..<4, using: &chance) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &chance)
      case 1: bytes[place] = Array("0123456789-:@,[]<> \r\n*$".utf8).randomElement(using: &chance) ?? 0
      case 2: bytes.remove(at: place)
      default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &chance)], at: place)
      }
    }
    return bytes
  }

  /// The values of a reply in any order and shape, which mutated RESP seldom gives.
  private func shuffled(_ chance: inout FixedRandom, depth: Int = 0) -> String {
    let words = [
      "id", "port", "nodes", "slots", "role", "master", "health", "ip", "flags", "s_down", "name", "config-epoch", "-1",
      "16384",
      "9223372036854775807", "-9223372036854775808", "", "?", "pmessage", "+sdown", "+switch-master", "master m h 1",
    ]
    switch Int.random(in: 0..<(depth < 5 ? 5 : 3), using: &chance) {
    case 0:
      let word = words.randomElement(using: &chance) ?? ""
      return "$\(word.utf8.count)\r\n\(word)\r\n"
    case 1: return ":\([0, 1, -1, 5460, 16383, 16384, Int.max, Int.min].randomElement(using: &chance) ?? 0)\r\n"
    case 2: return "$-1\r\n"
    default:
      let count = Int.random(in: 0..<9, using: &chance)
      return "*\(count)\r\n" + (0..<count).map { _ in shuffled(&chance, depth: depth + 1) }.joined()
    }
  }

  private func read(_ reply: Reply) {
    let masters = reply.instances(MonitoredMaster.init) ?? []
    let replicas = reply.instances(MonitoredReplica.init) ?? []
    let peers = reply.instances(PeerSentinel.init) ?? []
    let report = SentinelReport(
      sentinel: "s", address: NodeAddress(host: "h", port: 1), master: masters.first, replicas: replicas, peers: peers,
      quorum: QuorumCheck(reply))
    _ = SentinelView([report, report])
    var tracker = SentinelFailoverTracker(masterName: "mymaster")
    for master in masters {
      _ = tracker.observe(.init(master, sentinel: "s", moment: 0))
      _ = tracker.observe(.init(master, sentinel: "s", moment: .init(seconds: 1e9)))
    }
    if let event = SentinelEvent(reply) { _ = tracker.receive(event, from: "s", at: 2e9) }
  }

  @Test func repliesNeverTrap() throws {
    var chance = FixedRandom(state: 11)
    let names = ["sentinel-masters", "sentinel-replicas", "sentinel-sentinels"]
    for name in names {
      let seed = try #require(Fixture.bytes("\(Self.server)/steady-\(name).resp"))
      for _ in 0..<200 {
        guard let replies = try? Replies.read(mutated(seed, &chance)) else { continue }
        for index in 0..<replies.count { read(replies[index]) }
      }
    }
    for _ in 0..<3000 {
      guard let replies = try? Replies.read(Array(shuffled(&chance).utf8)) else { continue }
      for index in 0..<replies.count { read(replies[index]) }
    }
  }

  @Test func clusterViewsNeverTrap() throws {
    var chance = FixedRandom(state: 12)
    let states = try ["steady", "failing", "after-failover"].map { state in
      let bytes = try #require(Fixture.bytes("\(Self.server)/\(state)-cluster-cluster-nodes.resp"))
      return Array(try Replies.read(bytes)[0].bytes ?? [])
    }
    var tracker = ClusterFailoverTracker()
    var old = ClusterView([])
    for round in 0..<150 {
      let reports = (0..<Int.random(in: 0...4, using: &chance)).map { _ in
        ClusterReport(ClusterNodes(mutated(states.randomElement(using: &chance) ?? [], &chance)[...]))
      }
      let view = ClusterView(reports)
      #expect(view.coverage.assigned <= ClusterNodes.slotCount)
      #expect(view.coverage.ok + view.coverage.pfail + view.coverage.fail == view.coverage.assigned)
      #expect(view.members.allSatisfy { view[$0.id] == $0 })
      _ = tracker.observe(view, at: .init(seconds: Double(round)))
      _ = ClusterChanges(from: old, to: view)
      old = view
    }
    #expect(tracker.state.nodes.count == old.members.count || old.members.isEmpty)
  }

  @Test func aNodeCannotOwnMoreSlotsThanThereAre() {
    let line = "a 127.0.0.1:1@2 myself,master - 0 0 1 connected" + String(repeating: " 0-16383", count: 20_000)
    let nodes = ClusterNodes(Array(line.utf8)[...])
    #expect(nodes.nodes.first?.slots == [0...16383])
    #expect(ClusterView([ClusterReport(nodes)]).coverage.assigned == 16384)
  }

  /// Events in any order from any Sentinel: nothing traps, counts never fall, at most one failover a switch.
  @Test func eventsInAnyOrder() throws {
    var chance = FixedRandom(state: 13)
    let hosts = ["10.0.0.1 6379", "10.0.0.2 6379", "host-a 6379", "x y", ""]
    let channels =
      SentinelEvent.Change.allCases.map(\.rawValue) + [
        "+switch-master", "+new-epoch", "+vote-for-leader", "+tilt", "?",
      ]
    for _ in 0..<40 {
      var tracker = SentinelFailoverTracker(masterName: "m")
      var seconds = 0.0
      var before = 0
      for _ in 0..<400 {
        seconds += [-1, 0, 0.1, 3, 50, 700].randomElement(using: &chance) ?? 0
        func host() -> String { hosts.randomElement(using: &chance) ?? "" }
        let channel = channels.randomElement(using: &chance) ?? ""
        let isSwitch = channel == "+switch-master"
        let payload =
          isSwitch
          ? "m \(host()) \(host())"
          : Bool.random(using: &chance) ? "master m \(host())" : "slave x \(host()) @ m \(host())"
        let sentinel = "s\(Int.random(in: 0..<3, using: &chance))"
        var actions = tracker.receive(
          SentinelEvent(channel: channel, payload: payload), from: sentinel, at: .init(seconds: seconds))
        if Int.random(in: 0..<10, using: &chance) == 0 {
          let epoch = [0, 1, 2, 9, Int.max, -5].randomElement(using: &chance) ?? 0
          let address = NodeAddress(host: "10.0.0.\(Int.random(in: 1...2, using: &chance))", port: 6379)
          actions += tracker.observe(
            .init(
              sentinel: sentinel, configEpoch: epoch, address: address, sentinelCount: 3,
              moment: .init(seconds: seconds)))
        }
        if Int.random(in: 0..<50, using: &chance) == 0 {
          tracker = SentinelFailoverTracker(masterName: "m", state: tracker.state)
        }
        let total = tracker.state.counts.values.reduce(0, +)
        let counted = actions.count { if case .count = $0 { true } else { false } }
        #expect(total == before + counted)
        before = total
        #expect(tracker.state.unconfirmed.count <= SentinelFailoverTracker.unconfirmedLimit)
        #expect(tracker.recent.count <= SentinelFailoverTracker.recentLimit)
      }
    }
  }

  /// INFO of any content, and members that point anywhere.
  @Test func replicationNeverTraps() throws {
    var chance = FixedRandom(state: 14)
    let seed = Array(try Replies.read(try #require(Fixture.bytes("servers/redis-7.4.1/info-all.resp")))[0].bytes ?? [])
    for _ in 0..<100 {
      let info = InfoText(bytes: mutated(seed, &chance))
      _ = ReplicationFacts(info)
      let point = RecoveryPoint(crashOf: PersistenceFacts(info), isFsyncDelayed: false, nowSeconds: 0)
      #expect(point.seconds >= 0)
    }
    let letters = ["a", "b", "c", "d"]
    for _ in 0..<300 {
      let members = letters.map { letter in
        let target = letters.randomElement(using: &chance) ?? "a"
        let facts = ReplicationFacts(
          isMaster: Int.random(in: 0..<3, using: &chance) == 0, masterAddress: place(target),
          isLinkUp: Bool.random(using: &chance), linkDownSeconds: Int.random(in: -1...1, using: &chance))
        return ReplicationView.Member(place(letter), facts: Bool.random(using: &chance) ? facts : nil)
      }
      let view = ReplicationView(members, authority: Bool.random(using: &chance) ? place("a") : nil)
      #expect(view.loopingReplicas.allSatisfy { view.chainedReplicas.contains($0) })
    }
    var lag = ReplicationLag()
    lag.expect([place("b")], at: 0)
    for _ in 0..<2000 {
      let offsets = (0..<2).map { _ in [0, 1, 500, Int.max, Int.min, -1].randomElement(using: &chance) ?? 0 }
      let seconds: Double = [0.0, 1, 5, 1e9, -1].randomElement(using: &chance) ?? 0
      lag.note(
        ReplicationLagTests.master(offset: offsets[0], at: offsets[1], ack: Int.max), at: .init(seconds: seconds))
      #expect((lag.lag(of: place("b"), at: .init(seconds: seconds))?.seconds ?? 0) >= 0)
    }
  }
}
