import Redis
import Testing

@testable import Fleet

/// Clusters in a few letters: a line a node, `id flags master epoch slots…`, with ids such as `a`.
func clusterReport(_ text: String, by myself: String? = nil, epoch: Int? = nil) -> ClusterReport {
  let lines = text.split(separator: "\n").map { line in
    var words = line.split(separator: " ").map(String.init)
    if words[0] == myself { words[1] = "myself," + words[1] }
    let port = 7000 + Int(words[0].utf8.first ?? 97) - 97
    let head = "\(words[0]) 127.0.0.1:\(port)@1\(port) \(words[1]) \(words[2]) 0 0 \(words[3]) connected"
    return ([head] + words[4...]).joined(separator: " ")
  }
  return ClusterReport(ClusterNodes(Array(lines.joined(separator: "\n").utf8)[...]), currentEpoch: epoch)
}

@Suite struct ClusterViewTests {
  static let steady = """
    a master - 1 0-5460
    b master - 2 5461-10922
    c master - 3 10923-16383
    d slave a 1
    e slave b 2
    f slave c 3
    """

  private func captured(_ server: String, _ state: String) throws -> ClusterView {
    let bytes = try #require(Fixture.bytes("topologies/\(server)/\(state)-cluster-cluster-nodes.resp"))
    let reply = try Replies.read(bytes)[0]
    return ClusterView([ClusterReport(ClusterNodes(try #require(reply.bytes)))])
  }

  @Test(arguments: GoldenTests.topologies)
  func capturedClusters(server: String) throws {
    let steady = try captured(server, "steady")
    #expect(steady.members.count == 6 && steady.shards.count == 3)
    #expect(steady.coverage == .init(assigned: 16384, ok: 16384, pfail: 0, fail: 0))
    #expect(steady.shards.allSatisfy { $0.masterIDs.count == 1 && $0.okReplicaCount == 1 })
    #expect(steady.orphanedMasterIDs == [] && !steady.isTroubled)
    #expect(steady.disputedSlotCount == 0 && steady.slotMapCount == 1)

    let after = try captured(server, "after-failover")
    #expect(after.coverage.ok == 16384 && after.shards.count == 3)
    #expect(after.members.count { $0.health == .fail } == 1 && after.isTroubled)
    #expect(after.orphanedMasterIDs.count == 1)
    #expect(after[after.orphanedMasterIDs[0]]?.configEpoch == 7)

    let changes = ClusterChanges(from: steady, to: after)
    #expect(changes.promoted == after.orphanedMasterIDs && changes.arrived == [] && changes.forgotten == [])
    #expect(changes.reassignedSlotCount == 5461 && changes.healthChanged.count == 1)
    #expect(ClusterChanges(from: steady, to: steady).isEmpty)
  }

  /// Who took over from a master and gave it back: the first report knows neither, the second only the first.
  @Test func anOlderMapComesBackByANewerEpoch() {
    let takenOver = Self.steady.replacing("a master - 1 0-5460", with: "a slave d 7")
      .replacing("d slave a 1", with: "d master - 7 0-5460")
    let givenBack = Self.steady.replacing("a master - 1", with: "a master - 8").replacing(
      "d slave a 1", with: "d slave a 8")
    for order in [[Self.steady, takenOver, givenBack], [givenBack, takenOver, Self.steady]] {
      let view = ClusterView(zip(order, ["b", "c", "e"]).map { clusterReport($0, by: $1) })
      #expect(view["a"]?.slots == [0...5460] && view["d"]?.slots == [])
      #expect(view.slotMapCount == 2 && view.disputedSlotCount == 5461)
    }
  }

  /// Who says what of b, and what is made of it; a, b and c are the masters.
  @Test(
    arguments: [
      ("", .ok), ("a:fail?", .pfail), ("a:fail", .pfail), ("a:fail? c:fail?", .fail), ("a:fail c:fail", .fail),
      ("d:fail f:fail", .ok),
      ("b:fail?", .ok), ("a:fail? d:fail e:fail f:fail", .pfail),
      ("a:handshake b:handshake c:handshake d:noaddr e:noaddr f:noaddr", .unknown),
    ] as [(String, ClusterView.Health)])
  func mastersDecideByMajority(opinions: String, health: ClusterView.Health) {
    let flags = Dictionary(
      uniqueKeysWithValues: opinions.split(separator: " ").map { opinion in
        let parts = opinion.split(separator: ":")
        return (String(parts[0]), String(parts[1]))
      })
    let reports = ["a", "b", "c", "d", "e", "f"].map { reporter in
      let flag = flags[reporter].map { ",\($0)" } ?? ""
      return clusterReport(Self.steady.replacing("b master", with: "b master\(flag)"), by: reporter)
    }
    let view = ClusterView(reports)
    #expect(view["b"]?.health == health)
    let slots = 5462
    switch health {
    case .ok: #expect(view.coverage.ok == 16384)
    case .pfail: #expect(view.coverage.pfail == slots && view.coverage.ok == 16384 - slots)
    case .fail, .unknown: #expect(view.coverage.fail == slots && view.coverage.ok == 16384 - slots)
    }
    #expect(view.members.allSatisfy { $0.knownByCount == 5 })
  }

  @Test func oneSeedAloneIsBelieved() {
    #expect(
      ClusterView([clusterReport(Self.steady.replacing("b master", with: "b master,fail"), by: "a")])["b"]?.health
        == .fail)
    #expect(
      ClusterView([clusterReport(Self.steady.replacing("b master", with: "b master,fail?"), by: "a")])["b"]?.health
        == .pfail)
    #expect(
      ClusterView([clusterReport(Self.steady.replacing("b master", with: "b master,fail"), by: "d")])["b"]?.health
        == .fail)
  }

  static let failedOver = """
    a slave d 7
    b master - 2 5461-10922
    c master - 3 10923-16383
    d master - 7 0-5460
    e slave b 2
    f slave c 3
    """

  @Test func theHigherEpochHolds() {
    // The old master was cut off and still believes that it serves.
    let view = ClusterView([
      clusterReport(Self.steady, by: "a", epoch: 6), clusterReport(Self.failedOver, by: "b", epoch: 7),
      clusterReport(Self.failedOver, by: "d", epoch: 7),
    ])
    #expect(view["d"]?.slots == [0...5460] && view["a"]?.slots == [])
    #expect(view["a"]?.isMaster == false && view["a"]?.masterID == "d")
    #expect(view.slotMapCount == 2 && view.disputedSlotCount == 5461 && view.epochCount == 2)
    #expect(view.shards.map(\.masterID) == ["d", "b", "c"])
    #expect(view.shards[0].masterIDs == ["d", "a"])
    #expect(view.isTroubled)
  }

  @Test func shardsStandInTheOrderOfTheirSlots() {
    let view = ClusterView([clusterReport(Self.failedOver, by: "b")])
    #expect(view.shards.map(\.replicaIDs) == [["a"], ["e"], ["f"]])
    #expect(view.orphanedMasterIDs == [] && view.coverage.assigned == 16384)
  }

  @Test func replicasThatFollowNobody() {
    let view = ClusterView([
      clusterReport(
        """
        a master,fail - 1
        b master - 2 0-16383
        c slave a 1
        d slave zz 1
        e slave f 2
        f slave e 2
        g slave h 2
        h slave b 2
        """, by: "b")
    ])
    #expect(view.stuckReplicaIDs == ["c", "d"])
    #expect(view.chainedReplicaIDs == ["e", "f", "g"])
    #expect(view.loopingReplicaIDs == ["e", "f"])
  }

  @Test func slotsOnTheirWay() {
    let view = ClusterView([
      clusterReport(
        Self.steady.replacing("a master - 1 0-5460", with: "a master - 1 0-5460 [77->-b] [78->-b]"), by: "a"),
      clusterReport(Self.steady.replacing("5461-10922", with: "5461-10922 [77-<-a]"), by: "b"),
    ])
    #expect(view.migratingSlots == [77: "b", 78: "b"] && view.importingSlots == [77: "a"])
    #expect(view.coverage.ok == 16384 && view.isTroubled)
  }

  @Test func anUncoveredSlotIsSeen() {
    let view = ClusterView([clusterReport(Self.steady.replacing("0-5460", with: "0-99 101-5460"), by: "b")])
    #expect(view.coverage.assigned == 16383 && view.isTroubled)
    #expect(view["a"]?.slots == [0...99, 101...5460])
  }

  @Test func membersComeGoAndMove() {
    let old = ClusterView([clusterReport(Self.steady, by: "b")])
    let grown = ClusterView([clusterReport(Self.steady + "\ng master - 0", by: "b")])
    #expect(ClusterChanges(from: old, to: grown).arrived == ["g"])
    #expect(ClusterChanges(from: grown, to: old).forgotten == ["g"])
    let text = "a 10.0.0.1:7000@17000,name master - 0 0 1 connected 0-16383"
    let before = ClusterView([ClusterReport(ClusterNodes(Array(text.utf8)[...]))])
    let after = ClusterView([ClusterReport(ClusterNodes(Array(text.replacing("10.0.0.1", with: "10.0.0.2").utf8)[...]))]
    )
    #expect(ClusterChanges(from: before, to: after).moved == ["a"])
    #expect(before["a"]?.hostname == "name")
    let resharded = ClusterView([
      clusterReport(
        Self.steady.replacing("0-5460", with: "0-5400").replacing("5461-10922", with: "5401-10922"), by: "b")
    ])
    #expect(ClusterChanges(from: old, to: resharded).reassignedSlotCount == 60)
  }

  @Test func nothingAnsweredIsAnEmptyView() {
    let view = ClusterView([])
    #expect(view.members == [] && view.coverage.assigned == 0 && view.isTroubled)
    #expect(view["a"] == nil)
  }
}
