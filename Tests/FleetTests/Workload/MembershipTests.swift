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

  /// Who has not been asked is not missing: nothing is counted before everybody was polled once.
  @Test func countingBeginsWhenAllHaveBeenPolled() throws {
    var membership = Membership(try config("replication"))
    var known = following([seed, other])
    _ = membership.decide(&known, members: [], sentinels: [], at: 0)
    #expect(!membership.isPolled, "nobody has been asked")
    let unasked = MemberReading(other, answers: nil, facts: nil, began: 0)
    _ = membership.decide(&known, members: up([seed]) + [unasked], sentinels: [], at: 1)
    #expect(!membership.isPolled, "one has been asked")
    let silent = MemberReading(other, answers: false, facts: nil, began: 1)
    _ = membership.decide(&known, members: up([seed]) + [silent], sentinels: [], at: 2)
    #expect(membership.isPolled, "whatever came of it")
    let third = Readings.address(3)
    var more = following([seed, other, third])
    _ = membership.decide(&more, members: up([seed, other]), sentinels: [], at: 3)
    #expect(membership.isPolled, "who comes later takes nothing back")
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

  // MARK: Clients that only read as replicas do

  /// One look after another, as the daemon takes them: the follower, and who is watched after it.
  private struct Looks {
    var follower: any Follower
    var membership: Membership
    var now = Monotonic(seconds: 0)

    mutating func look(
      _ members: [MemberReading], sentinels: [MemberReading] = []
    ) -> (following: Following, wanted: Membership.Wanted) {
      var following = follower.follow(members, sentinels: sentinels)
      let decision = membership.decide(&following, members: members, sentinels: sentinels, at: now)
      now = now + 1
      return (following, decision.wanted)
    }
  }

  private func replication() throws -> Looks {
    Looks(follower: ReplicationFollower(seeds: [seed]), membership: Membership(try config("replication")))
  }

  private func master(_ listed: String) -> MemberReading {
    Readings.up(seed, "role:master\nrun_id:run1\nmaster_repl_offset:5\n" + listed)
  }

  /// As Redis 7.0, 8.2 and Valkey 9.1 list `redis-cli --rdb`: while the dump is made, and then.
  @Test(arguments: ["port=0,state=wait_bgsave", "port=0,state=send_bulk", "port=0,state=online"])
  func aBackupIsNoMember(_ listed: String) throws {
    var looks = try replication()
    let replica = "slave0:ip=10.0.0.1,port=2,state=online,offset=5,lag=0\n"
    let backup = "slave1:ip=10.0.0.1,\(listed),offset=0,lag=9\n"
    for _ in 0..<3 {
      let (following, wanted) = looks.look([master(replica + backup), Readings.replica(2, of: 1)])
      #expect(wanted.members == [seed, other] && wanted.scouts.isEmpty)
      #expect(following.groups.map(\.replicas) == [[other]])
      #expect(!following.isTroubled && following.replication?.strangersWithoutAddress == 1)
      #expect(looks.membership.turnedAway.counts == [:])
    }
  }

  @Test func aClientThatNamesAPortWhereNobodyListensIsNoMember() throws {
    var looks = try replication()
    let listing = master("slave0:ip=10.0.0.1,port=9,state=online,offset=0,lag=9\n")
    #expect(looks.look([listing]).wanted == Membership.Wanted(members: [seed], scouts: [Readings.address(9)]))
    let (following, wanted) = looks.look([listing, Readings.down(9)])
    #expect(wanted == Membership.Wanted(members: [seed], scouts: [Readings.address(9)]))
    #expect(following.replication?.strangers == [Readings.address(9)] && !following.isTroubled)
    #expect(looks.membership.turnedAway.counts == [.unproven: 1])
    // A replica that was only slow to start is one as soon as it answers, and stays one when it is promoted or down.
    let found = looks.look([listing, Readings.replica(9, of: 1)])
    #expect(found.wanted.members == [seed, Readings.address(9)] && found.wanted.scouts.isEmpty)
    #expect(looks.look([listing, Readings.down(9)]).wanted.members == [seed, Readings.address(9)])
    let promoted = looks.look([listing, Readings.master(9, replicas: [])])
    #expect(promoted.wanted.members == [seed, Readings.address(9)])
    #expect(promoted.following.replication?.isSplit == true)
  }

  @Test func aClientThatNamesAnotherMastersPortIsNoMember() throws {
    var looks = try replication()
    let stranger = Readings.master(9, replicas: [10])
    let listing = master("slave0:ip=10.0.0.1,port=9,state=online,offset=0,lag=9\n")
    for _ in 0..<3 {
      let (following, wanted) = looks.look([listing, stranger])
      #expect(wanted.members == [seed])
      #expect(following.replication?.masters == [seed], "no split brain")
    }
    // Nor for the moment in which the client has gone and the stranger is still read.
    #expect(looks.look([master(""), stranger]).wanted == Membership.Wanted(members: [seed]))
  }

  @Test func aMasterThatOnlyItsReplicaNamesIsAMemberAlthoughItIsDown() throws {
    var looks = try replication()
    let orphan = Readings.replica(1, of: 2)
    #expect(looks.look([orphan]).wanted.members == [seed, other])
    #expect(looks.look([orphan, Readings.down(2)]).wanted.members == [seed, other])
  }

  /// A Sentinel keeps for ever what a master listed once.
  @Test(arguments: [1, 3])
  func aSentinelsWordForWhatNeverAnsweredItIsNotEnough(_ count: Int) throws {
    let text =
      "workloads: [{name: w, kind: custom, topology: sentinel, sentinel: {master_name: m, seeds: ['10.0.0.1:101']}}]"
    let config = try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
    let seeds = (1...count).map { Readings.address(100 + $0) }
    var looks = Looks(
      follower: SentinelFollower(seeds: seeds, expectedSentinelCount: count), membership: Membership(config))
    func sentinels(_ runID: String) -> [MemberReading] {
      seeds.map { address in
        var facts = Readings.facts("redis_mode:sentinel\n")
        let peers = seeds.filter { $0 != address }.map { ("\($0)", $0.port, "id\($0.port)") }
        let replicas = [("two", 2, "run2"), ("none", 0, ""), ("fake", 9, runID)]
        let replies = ["$-1\r\n", Self.instance("m", 1, "run1"), Self.list(replicas), Self.list(peers), "+OK 1 x\r\n"]
          .compactMap { try? Replies.read(Array($0.utf8))[0] }
        facts.sentinel = MemberFacts.SentinelFacts(id: replies[0], about: Array(replies[1...]))
        return MemberReading(address, answers: true, facts: facts, began: Monotonic(seconds: 1))
      }
    }
    let members = [Readings.master(1, replicas: [2]), Readings.replica(2, of: 1), Readings.down(9)]
    for _ in 0..<3 {
      let (following, wanted) = looks.look(members, sentinels: sentinels(""))
      #expect(wanted.members == [seed, other] && wanted.scouts == [Readings.address(9)])
      #expect(!following.isTroubled && following.groups.map(\.replicas) == [[other]])
      #expect(looks.membership.turnedAway.counts == [.unproven: 1], "a port 0 is no address, and no word is lost on it")
    }
    // One that did answer a Sentinel is a member that is down.
    let known = looks.look(members, sentinels: sentinels("run9"))
    #expect(known.wanted.members == [seed, other, Readings.address(9)])
  }

  private static func instance(_ name: String, _ port: Int, _ runID: String) -> String {
    let fields = [
      "name", name, "ip", "10.0.0.1", "port", "\(port)", "runid", runID, "flags", "", "master-link-status", "ok",
      "master-host", "10.0.0.1", "master-port", "1",
    ]
    return "*\(fields.count)\r\n" + fields.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  private static func list(_ instances: [(name: String, port: Int, runID: String)]) -> String {
    "*\(instances.count)\r\n" + instances.map { instance($0.name, $0.port, $0.runID) }.joined()
  }
}
