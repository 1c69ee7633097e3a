import Redis
import Testing

@testable import Fleet

@Suite struct SentinelViewTests {
  static func reply(_ text: String) throws -> Reply { try Replies.read(Array(text.utf8))[0] }

  /// A flat list of names and values, as Sentinels describe instances.
  static func details(_ pairs: [(String, String)]) -> String {
    "*\(pairs.count * 2)\r\n"
      + pairs.flatMap { [$0.0, $0.1] }.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  static func report(
    _ sentinel: String, master: String?, epoch: Int = 1, flags: String = "master", quorum: Int = 2,
    replicas: [(host: String, flags: String)] = [("10.0.0.2", "slave"), ("10.0.0.3", "slave")],
    peers: [(id: String, flags: String)] = [], check: QuorumCheck = .reached(usableCount: 3)
  ) throws -> SentinelReport {
    let watched = try master.flatMap { host in
      MonitoredMaster(
        try reply(
          details([
            ("name", "mymaster"), ("ip", host), ("port", "6379"), ("flags", flags), ("config-epoch", "\(epoch)"),
            ("quorum", "\(quorum)"), ("num-other-sentinels", "2"),
          ])))
    }
    return SentinelReport(
      sentinel: sentinel, address: NodeAddress(host: "10.1.0.\(sentinel.utf8.count)", port: 26379), master: watched,
      replicas: try replicas.compactMap { replica in
        MonitoredReplica(
          try reply(
            details([
              ("ip", replica.host), ("port", "6379"), ("flags", replica.flags), ("master-link-status", "ok"),
              ("master-host", master ?? "?"), ("master-port", "6379"), ("slave-priority", "100"),
            ])))
      },
      peers: try peers.compactMap { peer in
        PeerSentinel(
          try reply(details([("ip", "10.1.0.9"), ("port", "26379"), ("runid", peer.id), ("flags", peer.flags)])))
      }, quorum: check)
  }

  @Test(arguments: GoldenTests.topologies)
  func capturedGroups(server: String) throws {
    func view(_ state: String) throws -> SentinelView {
      func reply(_ name: String) throws -> Reply {
        try Replies.read(try #require(Fixture.bytes("topologies/\(server)/\(state)-sentinel-\(name).resp")))[0]
      }
      let masters = try #require(try reply("masters").instances(MonitoredMaster.init))
      let replicas = try #require(try reply("replicas").instances(MonitoredReplica.init))
      let peers = try #require(try reply("sentinels").instances(PeerSentinel.init))
      #expect(masters.count == 1 && masters[0].name == "mymaster" && masters[0].quorum == 2)
      #expect(replicas.count == 2 && peers.count == 2 && peers.allSatisfy { $0.runID.utf8.count == 40 })
      #expect(masters[0].downAfterMs == 1000 && masters[0].failoverTimeoutMs == 5000)
      return SentinelView([
        SentinelReport(
          sentinel: "self", address: NodeAddress(host: "127.0.0.1", port: 26379), master: masters[0],
          replicas: replicas, peers: peers, quorum: QuorumCheck(try reply("ckquorum")))
      ])
    }
    let steady = try view("steady")
    #expect(steady.configEpoch == 0 && steady.hasQuorum == true && steady.usableCount == 3)
    #expect(steady.replicas.allSatisfy { !$0.isDown && $0.isFollowing && $0.isElectable })
    #expect(steady.knownSentinels.count == 3 && !steady.isTroubled && !steady.isAddressMixed)
    #expect(steady.ghosts(expectedReplicaCount: 2) == [])
    let after = try view("after-failover")
    #expect(after.configEpoch == 1 && after.masterAddress != steady.masterAddress)
    #expect(after.replicas.count { $0.isDown } == 1)
    // The old master still counts: nobody has taken its place.
    #expect(after.ghosts(expectedReplicaCount: 2) == [])
    #expect(after.ghosts(expectedReplicaCount: 1) == steady.masterAddress.map { [$0] })
    #expect(after.ghosts(expectedReplicaCount: nil) == [])
  }

  @Test func theMajorityNamesTheMaster() throws {
    let view = SentinelView([
      try Self.report("s", master: "10.0.0.1", epoch: 9), try Self.report("ss", master: "10.0.0.2"),
      try Self.report("sss", master: "10.0.0.2"),
    ])
    #expect(view.masterAddress?.host == "10.0.0.2" && view.dissenters == ["s"] && view.isTroubled)
    #expect(view.configEpoch == 9)
    let tie = SentinelView([
      try Self.report("s", master: "10.0.0.1", epoch: 1), try Self.report("ss", master: "10.0.0.2", epoch: 2),
    ])
    #expect(tie.masterAddress?.host == "10.0.0.2" && tie.dissenters == ["s"])
    let unknown = SentinelView([
      try Self.report("s", master: "10.0.0.1"), try Self.report("ss", master: nil, replicas: [], check: .unknown),
    ])
    #expect(unknown.masterAddress?.host == "10.0.0.1" && unknown.dissenters == ["ss"] && unknown.hasQuorum == true)
  }

  @Test func namesAndAddressesMixedAreADriftAndNoDissent() throws {
    let mixed = SentinelView([
      try Self.report("s", master: "10.0.0.1"), try Self.report("ss", master: "10.0.0.1"),
      try Self.report("sss", master: "redis-a"),
    ])
    #expect(mixed.isAddressMixed && mixed.dissenters == [])
    let named = SentinelView([try Self.report("s", master: "redis-a", replicas: [("redis-b", "slave")])])
    #expect(!named.isAddressMixed)
    let literal = SentinelView([try Self.report("s", master: "10.0.0.1")])
    #expect(!literal.isAddressMixed)
  }

  @Test func sentinelsPresentAgainstExpected() throws {
    let view = SentinelView([
      try Self.report("s", master: "10.0.0.1", peers: [("ss", "sentinel"), ("gone", "s_down,sentinel,disconnected")]),
      try Self.report("ss", master: "10.0.0.1", quorum: 3, peers: [("s", "sentinel"), ("gone", "s_down,sentinel")]),
      try Self.report("ss", master: "10.0.0.7"),
    ])
    #expect(view.answeringCount == 2 && view.missingSentinelCount(expected: 3) == 1)
    #expect(view.knownSentinels.keys.sorted() == ["gone", "s", "ss"])
    #expect(view.downSentinels == ["gone"])
    #expect(view.quorumSettings == [2, 3])
    #expect(view.masterAddress?.host == "10.0.0.1")
  }

  @Test(
    arguments: [
      ([.reached(usableCount: 3), .reached(usableCount: 3), .notReached(usableCount: 1)], true, 1),
      ([.reached(usableCount: 3), .notReached(usableCount: 1), .notReached(usableCount: 1)], false, 1),
      ([.unknown, .unknown], nil, nil), ([.unknown, .reached(usableCount: 2)], true, 2),
    ] as [([QuorumCheck], Bool?, Int?)])
  func quorum(checks: [QuorumCheck], expected: Bool?, usable: Int?) throws {
    let view = SentinelView(
      try checks.enumerated().map { index, check in
        try Self.report(String(repeating: "s", count: index + 1), master: "10.0.0.1", check: check)
      })
    #expect(view.hasQuorum == expected && view.usableCount == usable)
  }

  @Test(
    arguments: [
      ("+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n", .reached(usableCount: 3)),
      ("-NOQUORUM 1 usable Sentinels. Not enough available Sentinels\r\n", .notReached(usableCount: 1)),
      ("-ERR No such master with that name\r\n", .unknown), ("-OK 3\r\n", .unknown), ("+NOQUORUM 1\r\n", .unknown),
      (":1\r\n", .unknown),
      ("+OK\r\n", .reached(usableCount: 0)), ("+OK -5 usable\r\n", .reached(usableCount: 0)),
    ] as [(String, QuorumCheck)])
  func quorumReplies(text: String, expected: QuorumCheck) throws {
    #expect(QuorumCheck(try Self.reply(text)) == expected)
  }

  @Test func replicasDownByMajority() throws {
    let down = "s_down,slave,disconnected"
    let view = SentinelView([
      try Self.report(
        "s", master: "10.0.0.1", replicas: [("10.0.0.2", down), ("10.0.0.3", down), ("10.0.0.4", "slave")]),
      try Self.report(
        "ss", master: "10.0.0.1", replicas: [("10.0.0.2", down), ("10.0.0.3", "slave"), ("10.0.0.4", "slave")]),
      try Self.report("sss", master: "10.0.0.1", replicas: [("10.0.0.2", "slave"), ("10.0.0.3", "slave")]),
    ])
    #expect(view.replicas.map(\.isDown) == [true, false, false])
    #expect(view.ghosts(expectedReplicaCount: 2).map(\.host) == ["10.0.0.2"])
    #expect(view.ghosts(expectedReplicaCount: 3) == [])
  }

  @Test func theMasterIsDown() throws {
    let one = SentinelView([
      try Self.report("s", master: "10.0.0.1", flags: "s_down,master"), try Self.report("ss", master: "10.0.0.1"),
    ])
    #expect(!one.isMasterDown)
    let agreed = SentinelView([
      try Self.report("s", master: "10.0.0.1", flags: "s_down,o_down,master,failover_in_progress"),
      try Self.report("ss", master: "10.0.0.1"), try Self.report("sss", master: "10.0.0.1"),
    ])
    #expect(agreed.isMasterDown && agreed.isFailoverInProgress && agreed.isTroubled)
    #expect(SentinelView([]).masterAddress == nil && SentinelView([]).isTroubled)
  }
}
