import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Nodes a, b, … of one workload, each on a port of its own.
func place(_ letter: String) -> NodeAddress {
  NodeAddress(host: "10.0.0.1", port: 7000 + Int(letter.utf8.first ?? 97) - 97)
}

@Suite struct ReplicationViewTests {
  /// `a master`, `b up a`, `b down a 12`, `b sync a`, `b silent`.
  static func view(_ text: String, authority: String? = nil) -> ReplicationView {
    let members = text.split(separator: ",").map { part -> ReplicationView.Member in
      let words = part.split(separator: " ").map(String.init)
      let facts: ReplicationFacts? =
        switch words[1] {
        case "silent": nil
        case "master":
          ReplicationFacts(
            isMaster: true,
            replicas: words.dropFirst(2).map { .init(address: place($0), state: .online, offset: 0, ackAgeSeconds: 0) })
        default:
          ReplicationFacts(
            isMaster: false, masterAddress: place(words[2]), isLinkUp: words[1] == "up", isSyncing: words[1] == "sync",
            linkDownSeconds: words.count > 3 ? Int(words[3]) : nil)
        }
      return .init(place(words[0]), facts: facts)
    }
    return ReplicationView(members, authority: authority.map(place))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let members: String
    var authority: String?
    var master: String?
    var masters = ""
    var online = ""
    var offline = ""
    var misled = ""
    var chained = ""
    var looping = ""
    var strangers = ""
    var testDescription: String { members }
  }

  @Test(arguments: [
    Case(members: "a master b c,b up a,c up a", master: "a", masters: "a", online: "bc"),
    Case(members: "a master b z,b up a", master: "a", masters: "a", online: "b", strangers: "z"),
    Case(members: "a master,b down a 12,c sync a", master: "a", masters: "a", offline: "bc"),
    Case(members: "a silent,b down a 3,c down a 3", master: "a", offline: "bc"),
    Case(members: "a master b,b up a,c master", master: "a", masters: "ac", online: "b"),
    Case(members: "a master b,b up a,c master", authority: "c", master: "c", masters: "ac", misled: "b"),
    Case(members: "a master b,b up a,c up b", master: "a", masters: "a", online: "b", misled: "c", chained: "c"),
    Case(members: "b up c,c up b,a master", master: "a", masters: "a", misled: "bc", chained: "bc", looping: "bc"),
    Case(members: "a master,b up z", master: "a", masters: "a", misled: "b"),
    Case(members: "a silent,b silent", authority: "a", master: "a"),
    Case(members: "b up b,a master", master: "a", masters: "a", misled: "b", chained: "b", looping: "b"),
  ])
  func members(_ example: Case) {
    let view = Self.view(example.members, authority: example.authority)
    func places(_ letters: String) -> [NodeAddress] { letters.map { place(String($0)) } }
    #expect(view.master == example.master.map(place))
    #expect(view.masters == places(example.masters) && view.isSplit == (example.masters.count > 1))
    #expect(view.onlineReplicas == places(example.online))
    #expect(Set(view.offlineReplicas.keys) == Set(places(example.offline)))
    #expect(view.misledReplicas == places(example.misled))
    #expect(view.chainedReplicas == places(example.chained))
    #expect(view.loopingReplicas == places(example.looping))
    #expect(view.strangers == places(example.strangers))
    #expect(view.missingReplicaCount(expected: 2) == max(0, 2 - example.online.count))
  }

  @Test func theLinksAgeIsKept() {
    let view = Self.view("a master,b down a 12,c sync a,d silent")
    #expect(view.offlineReplicas[place("b")] == .some(12) && view.offlineReplicas[place("c")] == .some(nil))
    #expect(view.syncingReplicas == [place("c")] && view.silentMembers == [place("d")] && view.isTroubled)
  }

  @Test func aMemberIsKnownByItsOtherNames() {
    let named = NodeAddress(host: "redis-a", port: 6379)
    let view = ReplicationView([
      .init(place("a"), aliases: [named], facts: ReplicationFacts(isMaster: true)),
      .init(place("b"), facts: ReplicationFacts(isMaster: false, masterAddress: named, isLinkUp: true)),
    ])
    #expect(view.onlineReplicas == [place("b")] && view.misledReplicas == [])
  }

  @Test(arguments: GoldenTests.servers)
  func capturedINFO(server: String) throws {
    func facts(_ name: String) throws -> ReplicationFacts {
      let reply = try Replies.read(try #require(Fixture.bytes("servers/\(server)/\(name).resp")))[0]
      let text = InfoText(try #require(reply.bytes))
      return try #require(ReplicationFacts(text))
    }
    let master = try facts("info-all")
    let replica = try facts("replica-info-all")
    #expect(master.isMaster && master.replicas.count == 1)
    // Some servers wait a while before a sync to gather replicas, and were asked in that time.
    let isSyncing = ["redis-7.0.15", "redis-7.4.1", "valkey-8.0.1"].contains(server)
    #expect(master.replicas.first?.state == (isSyncing ? .syncing : .online))
    #expect(!replica.isMaster && replica.isLinkUp == true && replica.masterAddress?.host == "127.0.0.1")
    #expect(master.replicationID == replica.replicationID && replica.linkDownSeconds == nil)
    #expect(master.offset > 0 && master.offset - replica.offset < 1000)
    let sentinel = InfoText(bytes: Array("# Server\r\nredis_mode:sentinel\r\n".utf8))
    #expect(ReplicationFacts(sentinel) == nil)
  }
}

@Suite struct ReplicationLagTests {
  static let replica = place("b")

  static func master(
    offset: Int, _ state: ReplicationFacts.Replica.State? = .online, at replicaOffset: Int = 0, ack: Int = 0
  )
    -> ReplicationFacts
  {
    ReplicationFacts(
      isMaster: true, replicationID: "x", offset: offset,
      replicas: state.map { [.init(address: replica, state: $0, offset: replicaOffset, ackAgeSeconds: ack)] } ?? [])
  }

  @Test func lagIsTheAgeOfTheOffset() throws {
    var lag = ReplicationLag()
    lag.expect([Self.replica], at: 0)
    #expect(lag.lag(of: Self.replica, at: 0) == nil)
    for second in 0...20 {
      lag.note(Self.master(offset: second * 1000, at: min(second * 1000, 10_000)), at: .init(seconds: Double(second)))
    }
    let stalled = try #require(lag.lag(of: Self.replica, at: 20))
    #expect(stalled == .init(state: .online, seconds: 10, isAtLeast: false, bytes: 10_000))
    // The rate falls to nearly nothing: bytes over rate would say a thousand seconds.
    lag.note(Self.master(offset: 20_010, at: 20_000), at: 21)
    let nearly = try #require(lag.lag(of: Self.replica, at: 21))
    #expect(nearly.seconds == 1 && nearly.bytes == 10)
    lag.note(Self.master(offset: 20_010, at: 20_010), at: 22)
    #expect(lag.lag(of: Self.replica, at: 22)?.seconds == 0)
    // Nothing is written for a while: then a replica that misses the newest bytes is late since then only.
    for second in 23...100 { lag.note(Self.master(offset: 20_010, at: 20_010), at: .init(seconds: Double(second))) }
    lag.note(Self.master(offset: 20_020, at: 20_010), at: 101)
    #expect(lag.lag(of: Self.replica, at: 101)?.seconds == 1)
    #expect(lag.history.entries.count < 30)
  }

  /// Behind one translated address stand several: the worst of them counts, in whichever order they are listed.
  @Test(arguments: [false, true])
  func ofReplicasBehindOneAddressTheWorstCounts(isReversed: Bool) {
    func lag(_ replicas: [ReplicationFacts.Replica]) -> ReplicationLag.Lag? {
      var lag = ReplicationLag()
      lag.expect([Self.replica], at: 0)
      lag.note(Self.master(offset: 10), at: 0)
      let listed = isReversed ? replicas.reversed() : replicas
      lag.note(ReplicationFacts(isMaster: true, replicationID: "x", offset: 20, replicas: listed), at: 5)
      return lag.lag(of: Self.replica, at: 5)
    }
    func replica(_ state: ReplicationFacts.Replica.State, _ offset: Int, ack: Int = 0) -> ReplicationFacts.Replica {
      .init(address: Self.replica, state: state, offset: offset, ackAgeSeconds: ack)
    }
    #expect(lag([replica(.online, 20), replica(.online, 12), replica(.online, 19)])?.bytes == 8)
    #expect(lag([replica(.online, 20), replica(.online, 20, ack: 30)])?.seconds == 30)
    #expect(lag([replica(.online, 20), replica(.syncing, 0)])?.state == .syncing)
  }

  @Test func aReplicaThatHangsIsLateAlthoughNothingIsWritten() {
    var lag = ReplicationLag()
    lag.expect([Self.replica], at: 0)
    lag.note(Self.master(offset: 5, at: 5, ack: 1), at: 1)
    #expect(lag.lag(of: Self.replica, at: 1)?.seconds == 0)
    lag.note(Self.master(offset: 5, at: 5, ack: 30), at: 31)
    #expect(lag.lag(of: Self.replica, at: 31)?.seconds == 30)
  }

  @Test func replicasThatAreNotOnline() {
    var lag = ReplicationLag()
    lag.expect([Self.replica], at: 100)
    lag.note(Self.master(offset: 5, nil), at: 101)
    #expect(
      lag.lag(of: Self.replica, at: 110) == .init(state: .absent, seconds: 10, isAtLeast: true, bytes: nil))
    lag.note(Self.master(offset: 5, .syncing), at: 111)
    #expect(
      lag.lag(of: Self.replica, at: 111) == .init(state: .syncing, seconds: 11, isAtLeast: true, bytes: nil))
    lag.note(Self.master(offset: 5, at: 5), at: 112)
    #expect(lag.lag(of: Self.replica, at: 112)?.state == .online)
    lag.note(Self.master(offset: 5, nil), at: 120)
    #expect(
      lag.lag(of: Self.replica, at: 130)
        == .init(state: .disconnected, seconds: 18, isAtLeast: false, bytes: nil))
    lag.note(Self.master(offset: 5, .syncing), at: 131)
    #expect(
      lag.lag(of: Self.replica, at: 131) == .init(state: .syncing, seconds: 19, isAtLeast: false, bytes: nil))
    #expect(lag.lag(of: place("z"), at: 131) == nil)
    lag.expect([], at: 132)
    #expect(lag.lag(of: Self.replica, at: 132) == nil)
  }

  @Test func whatTheHistoryDoesNotReachIsALowerBound() {
    var lag = ReplicationLag()
    lag.expect([Self.replica], at: 0)
    lag.note(Self.master(offset: 1_000_000, at: 10), at: 0)
    lag.note(Self.master(offset: 1_000_100, at: 10), at: 30)
    #expect(
      lag.lag(of: Self.replica, at: 30) == .init(state: .online, seconds: 30, isAtLeast: true, bytes: 1_000_090))
  }

  @Test func aNewStreamStartsAfresh() {
    var history = OffsetHistory()
    history.note(offset: 1000, replicationID: "x", at: 1)
    history.note(offset: 1100, replicationID: "y", at: 2)
    #expect(history.lateness(offset: 1050, at: 2)?.seconds == 0.5)
    history.note(offset: 10, replicationID: "z", at: 3)
    #expect(history.lateness(offset: 5, at: 4).map { [$0.seconds, $0.isAtLeast ? 1 : 0] } == [1, 1])
    #expect(OffsetHistory().lateness(offset: 1, at: 1) == nil)
  }

  @Test func theHistoryIsBoundedAndReachesFarBack() throws {
    var history = OffsetHistory()
    for second in 0..<100_000 {
      history.note(offset: second * 10, replicationID: "x", at: .init(seconds: Double(second)))
    }
    #expect(history.entries.count <= OffsetHistory.limit)
    for late in [1, 10, 100, 1000, 10_000, 90_000] {
      let offset = (99_999 - late) * 10
      let lateness = try #require(history.lateness(offset: offset, at: 99_999))
      #expect(abs(lateness.seconds - Double(late)) < 1e-6 && !lateness.isAtLeast)
    }
  }

  @Test func theLossOfAFailoverIsThatOfTheBestReplica() {
    var lag = ReplicationLag()
    let (b, c) = (place("b"), place("c"))
    #expect(lag.failoverLossSeconds(electable: [b], at: 0) == nil)
    lag.expect([b, c], at: 0)
    for second in 0...10 {
      lag.note(
        ReplicationFacts(
          isMaster: true, offset: second * 100,
          replicas: [
            .init(address: b, state: .online, offset: 300, ackAgeSeconds: 0),
            .init(address: c, state: .online, offset: 800, ackAgeSeconds: 0),
          ]), at: .init(seconds: Double(second)))
    }
    #expect(lag.failoverLossSeconds(electable: [b, c], at: 10) == 2)
    #expect(lag.failoverLossSeconds(electable: [b], at: 10) == 7)
    #expect(lag.failoverLossSeconds(electable: [], at: 10) == .infinity)
    lag.note(Self.master(offset: 2000, .syncing), at: 11)
    #expect(lag.failoverLossSeconds(electable: [b, c], at: 11) == .infinity)
  }
}
