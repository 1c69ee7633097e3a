import Config
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite struct MembershipTests {
  private let seed = Readings.address(1)
  private let other = Readings.address(2)

  private func config(_ topology: String) throws -> WorkloadConfig {
    let text = "workloads: [{name: w, kind: custom, topology: \(topology), seeds: ['10.0.0.1:1']}]"
    return try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
  }

  private func following(_ addresses: [NodeAddress]) -> Following {
    var following = Following()
    following.listings = addresses.map { Roster.Listing($0, isUp: nil, answers: true) }
    return following
  }

  private func up(_ addresses: [NodeAddress]) -> [MemberReading] {
    addresses.map { MemberReading($0, answers: true, facts: nil, began: 1) }
  }

  @Test func theSeedsStandInUntilMembersAreMadeOut() throws {
    var membership = Membership(try config("replication"))
    var (unknown, known) = (Following(), following([other]))
    let first = membership.decide(&unknown, members: [], sentinels: [], at: 0)
    #expect(first.wanted.members == [seed] && first.arrivals.isEmpty)
    let found = membership.decide(&known, members: up([seed]), sentinels: [], at: 1)
    #expect(found.wanted.members == [other], "the seed is another name of it, or no member")
    let answered = membership.decide(&known, members: up([other]), sentinels: [], at: 2)
    #expect(answered.wanted.members == [other] && membership.lastMembers == [other])
  }

  @Test func thoseWhoComeLaterAreNews() throws {
    var membership = Membership(try config("replication"))
    var alone = following([seed])
    #expect(membership.decide(&alone, members: up([seed]), sentinels: [], at: 0).arrivals == [])
    #expect(!membership.isSettled)
    _ = membership.decide(&alone, members: up([seed]), sentinels: [], at: .init(seconds: Membership.settleSeconds))
    #expect(membership.isSettled)
    var both = following([seed, other])
    let decision = membership.decide(&both, members: up([seed]), sentinels: [], at: 10)
    #expect(decision.arrivals == [other] && decision.changes.contains(.arrived(other)))
  }

  @Test func membersOfTheLastTimeAreComparedWithThoseOfNow() throws {
    var fixed = Membership(try config("static"), remembered: [other])
    var now = following([seed])
    _ = fixed.decide(&now, members: up([seed]), sentinels: [], at: 0)
    let settled = fixed.decide(&now, members: up([seed]), sentinels: [], at: .init(seconds: Membership.settleSeconds))
    #expect(settled.arrivals == [seed] && settled.departures == [other])

    // Where members name one another, it may be the one that is down and that nobody names any more.
    var found = Membership(try config("replication"), remembered: [seed, other])
    _ = found.decide(&now, members: up([seed]), sentinels: [], at: 0)
    let missing = found.decide(&now, members: up([seed]), sentinels: [], at: .init(seconds: Membership.settleSeconds))
    #expect(missing.departures == [] && missing.wanted.members == [seed, other])
  }

  @Test func whoAnsweredBeforeIsAskedWhileNobodyAnswers() throws {
    var membership = Membership(try config("replication"), lastMembers: [other])
    var nobody = Following()
    let down = [MemberReading(seed, answers: false, facts: nil, began: 1)]
    #expect(membership.decide(&nobody, members: down, sentinels: [], at: 0).wanted.scouts == [other])
    #expect(membership.decide(&nobody, members: up([seed]), sentinels: [], at: 1).wanted.scouts == [])
  }
}
