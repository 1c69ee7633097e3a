import Redis
import Testing

@testable import Fleet

@Suite struct SentinelEventTests {
  static let a = NodeAddress(host: "127.0.0.1", port: 7000)
  static let b = NodeAddress(host: "127.0.0.1", port: 7001)

  @Test func theKnownShapes() {
    func event(_ channel: String, _ payload: String) -> SentinelEvent {
      SentinelEvent(channel: channel, payload: payload)
    }
    #expect(
      event("+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 7001")
        == .switchMaster(name: "mymaster", from: Self.a, to: Self.b))
    #expect(event("+new-epoch", "7") == .newEpoch(7))
    #expect(event("+vote-for-leader", "abc 7") == .vote(runID: "abc", epoch: 7))
    #expect(event("+tilt", "#tilt mode entered") == .tilt(true))
    #expect(event("-tilt", "#tilt mode exited") == .tilt(false))
    guard case .instance(.objectivelyDown, let master) = event("+odown", "master mymaster 127.0.0.1 7000 #quorum 2/2")
    else {
      Issue.record("no instance")
      return
    }
    #expect(
      master.isMaster && master.masterName == "mymaster" && master.address == Self.a && master.detail == "#quorum 2/2")
    guard
      case .instance(.subjectivelyDown, let replica) = event(
        "+sdown", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000")
    else {
      Issue.record("no instance")
      return
    }
    #expect(!replica.isMaster && replica.masterName == "mymaster")
    #expect(replica.address == Self.b && replica.masterAddress == Self.a && replica.detail.isEmpty)
    guard case .instance(_, let ipv6) = event("+sdown", "master m ::1 7000") else {
      Issue.record("no instance")
      return
    }
    #expect(ipv6.address.description == "[::1]:7000" && ipv6.address.isLiteral)
  }

  @Test(arguments: [
    ("+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1"), ("+switch-master", "mymaster 127.0.0.1 x 127.0.0.1 7001"),
    ("+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 70010"), ("+switch-master", ""),
    ("+sdown", "slave x 127.0.0.1 7001"),
    ("+sdown", "slave x 127.0.0.1 7001 @ mymaster 127.0.0.1"), ("+sdown", "martian x 127.0.0.1 7001"),
    ("+sdown", "master m"),
    ("+new-epoch", "-1"), ("+new-epoch", "99999999999999999999"), ("+vote-for-leader", "abc"), ("+news", "of tomorrow"),
    ("", ""),
  ])
  func whatIsNotUnderstoodIsAValue(channel: String, payload: String) {
    #expect(SentinelEvent(channel: channel, payload: payload) == .other(channel: channel, payload: payload))
    #expect(SentinelEvent(channel: channel, payload: payload).masterName == nil)
  }

  @Test func longTextsAreCut() {
    let long = String(repeating: "x", count: 100_000)
    guard case .other(let channel, let payload) = SentinelEvent(channel: long, payload: long) else {
      Issue.record("known")
      return
    }
    #expect(channel.count == SentinelEvent.textLimit && payload.count == SentinelEvent.textLimit)
  }

  @Test(
    arguments: [
      ("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$10\r\n+new-epoch\r\n$1\r\n3\r\n", SentinelEvent.newEpoch(3)),
      ("*3\r\n$7\r\nmessage\r\n$10\r\n+new-epoch\r\n$1\r\n3\r\n", .newEpoch(3)),
      ("*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n", nil), ("*2\r\n$4\r\npong\r\n$0\r\n\r\n", nil),
      ("+PONG\r\n", nil),
      ("*4\r\n$7\r\nmessage\r\n$1\r\n*\r\n$10\r\n+new-epoch\r\n$1\r\n3\r\n", nil),
      ("*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n", nil),
      ("*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n*0\r\n$1\r\n3\r\n", nil),
    ] as [(String, SentinelEvent?)])
  func messages(text: String, expected: SentinelEvent?) throws {
    #expect(SentinelEvent(try Replies.read(Array(text.utf8))[0]) == expected)
  }

  @Test(arguments: [
    ("10.0.0.1", "host", true), ("host", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false), ("a", "b", false),
    ("a", "a", true),
    ("::1", "a", true), ("10.0.0.256", "a", false), ("1.2.3", "a", false),
  ])
  func addressesThatMayBeTheSame(left: String, right: String, expected: Bool) {
    #expect(NodeAddress(host: left, port: 1).mayBe(NodeAddress(host: right, port: 1)) == expected)
    #expect(!NodeAddress(host: left, port: 1).mayBe(NodeAddress(host: right, port: 2)))
  }
}
