import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// When a failover took place that was found afterwards.
@Suite struct MissedFailoverTests {
  private static let (old, new) = (Readings.address(1), Readings.address(2))

  private func sentinel(_ number: Int, master: Int, forSeconds seconds: Double) throws -> MemberReading {
    let pairs = [
      ("name", "m"), ("ip", "10.0.0.1"), ("port", "\(master)"), ("flags", "master"), ("config-epoch", "5"),
      ("role-reported", "master"), ("role-reported-time", "\(Int(seconds * 1000))"),
    ]
    var facts = Readings.facts("redis_mode:sentinel\n")
    facts.sentinel = MemberFacts.SentinelFacts(
      id: "s\(number)", master: MonitoredMaster(try SentinelViewTests.reply(SentinelViewTests.details(pairs))),
      replicas: [], peers: [], quorum: .reached(usableCount: 3))
    return MemberReading(
      Readings.address(100 + number), answers: true, facts: facts, began: 1, ended: .init(seconds: 10_000))
  }

  private func replica(_ port: Int, of master: Int, upForSeconds seconds: Int?) -> MemberReading {
    let up = seconds.map { "master_link_up_since_seconds:\($0)\n" } ?? ""
    return MemberReading(
      Readings.address(port), answers: true,
      facts: Readings.facts("role:slave\nmaster_host:10.0.0.1\nmaster_port:\(master)\nmaster_link_status:up\n" + up),
      began: 1, ended: .init(seconds: 10_000))
  }

  private func evidence(_ members: [MemberReading], sentinels: [MemberReading] = []) -> FailoverEvidence {
    FailoverEvidence(
      following: Following(), members: members, trusted: members, sentinels: sentinels, wall: .init(seconds: 10_000))
  }

  @Test func mostSentinelsKnowSinceWhenItIsMaster() throws {
    let sentinels = try [(1, 2, 3000.0), (2, 2, 2999.5), (3, 2, 10.0)].map {
      try sentinel($0.0, master: $0.1, forSeconds: $0.2)
    }
    #expect(evidence([], sentinels: sentinels).promoted(Self.new) == WallTime(seconds: 7000.5))
    #expect(evidence([], sentinels: sentinels).promoted(Self.old) == nil)
    // One alone makes it no older.
    let liar = try [sentinel(1, master: 2, forSeconds: 1e6), sentinel(2, master: 2, forSeconds: 5)]
    let three = try liar + [sentinel(3, master: 2, forSeconds: 4)]
    #expect(evidence([], sentinels: three).promoted(Self.new) == WallTime(seconds: 9995))
  }

  @Test func replicasKnowHowLongTheyFollow() {
    let members = [replica(1, of: 2, upForSeconds: 900), replica(3, of: 2, upForSeconds: 100)]
    #expect(evidence(members).promoted(Self.new) == WallTime(seconds: 9100))
    #expect(evidence([replica(1, of: 2, upForSeconds: nil)]).promoted(Self.new) == nil)
    #expect(evidence([replica(1, of: 3, upForSeconds: 900)]).promoted(Self.new) == nil)
  }

  @Test func aMissedOneHasItsOwnTimeAndNoOtherHas() {
    var tracker = ReplicationFailoverTracker()
    var failover = Failover(key: "1", subject: "m", kind: .missed, counted: .init(seconds: 10_000))
    (failover.from, failover.to) = (Self.old, Self.new)
    let evidence = evidence([replica(1, of: 2, upForSeconds: 900)])
    failover.counted = .init(seconds: 10_000)
    var expected = failover
    expected.counted = .init(seconds: 9100)
    #expect(tracker.dated([.count(failover), .poll], by: evidence) == [.count(expected), .poll])
    #expect(tracker.state.lastFailover == WallTime(seconds: 9100))
    failover.kind = .automatic
    #expect(tracker.dated([.count(failover)], by: evidence) == [.count(failover)])
  }
}
