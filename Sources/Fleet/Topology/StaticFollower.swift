import Redis
import Runtime

/// The seeds are the members, independent of one another.
struct StaticFollower: Follower {
  let seeds: [NodeAddress]

  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following {
    let answers = Dictionary(members.map { ($0.address, $0.answers) }, uniquingKeysWith: { first, _ in first })
    var following = Following()
    following.listings = seeds.map { Roster.Listing($0, isUp: nil, answers: answers[$0] ?? nil) }
    return following
  }
}

/// Independent servers have nobody to fail over to.
struct NoFailovers: FailoverTracking {
  struct State: FailoverState {
    static let kinds: [Failover.Kind] = []
    var counts: [Failover.Kind: Int] = [:]
    var lastFailover: WallTime?
    var facts: [String: String] { [:] }
    init(facts: [String: String] = [:]) {}
  }

  var state = State()
  var isUnderWay: Bool { false }
  mutating func observe(_ evidence: FailoverEvidence) -> [FailoverAction] { [] }
}
