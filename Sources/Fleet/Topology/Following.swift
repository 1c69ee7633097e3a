import Redis
import Runtime

/// One server that is polled, and what its newest poll says.
struct MemberReading: Sendable, Equatable {
  let address: NodeAddress
  /// Whether the newest poll was answered; nil while none has ended.
  let answers: Bool?
  /// nil while it does not answer.
  let facts: Shared<MemberFacts>?
  /// When the newest poll began.
  let began: Monotonic
  /// When it ended.
  let ended: WallTime
  /// Whether the newest probe was answered in time; nil where there was none.
  var isProbeAnswered: Bool?
  /// When a probe was last answered.
  var probeAnswered: Monotonic?

  /// The same without what it says: whether it answers is all that counts.
  var withoutFacts: MemberReading {
    MemberReading(
      address, answers: answers, sharing: nil, began: began, ended: ended, isProbeAnswered: isProbeAnswered,
      probeAnswered: probeAnswered)
  }

  init(
    _ address: NodeAddress, answers: Bool?, facts: MemberFacts?, began: Monotonic, ended: WallTime = .distantPast,
    isProbeAnswered: Bool? = nil, probeAnswered: Monotonic? = nil
  ) {
    self.init(
      address, answers: answers, sharing: facts.map { Shared($0) }, began: began, ended: ended,
      isProbeAnswered: isProbeAnswered, probeAnswered: probeAnswered)
  }

  init(
    _ address: NodeAddress, answers: Bool?, sharing facts: Shared<MemberFacts>?, began: Monotonic, ended: WallTime,
    isProbeAnswered: Bool?, probeAnswered: Monotonic?
  ) {
    self.address = address
    self.answers = answers
    self.facts = facts
    self.began = began
    self.ended = ended
    self.isProbeAnswered = isProbeAnswered
    self.probeAnswered = probeAnswered
  }
}

/// A master with the replicas that it has or should have.
struct ReplicationGroup: Sendable, Equatable {
  /// nil while nobody knows who it is.
  var master: NodeAddress?
  var replicas: Set<NodeAddress>
}

/// What answers where Sentinels are asked.
struct SentinelServers: Sendable {
  /// Seeds that should be Sentinels and are none.
  var noSentinels: [NodeAddress] = []
  /// The masters that the Sentinels know, in the order of their names.
  var masterNames: [String] = []
  /// What each Sentinel says of the workload's master.
  var monitored: [NodeAddress: MonitoredMaster] = [:]
}

/// What a follower makes of the readings.
struct Following: Sendable {
  /// The members as the topology lists them; empty while it cannot be read.
  var listings: [Roster.Listing] = []
  /// How many of ``voterCount`` name each member.
  var voucherCounts: [NodeAddress: Int] = [:]
  /// Those who could name every member; 1 where only a member's own answer tells.
  var voterCount = 1
  /// Those that only a list of connected replicas names, and that have not answered as replicas: any client may say that it
  /// is a replica and listens there.
  var unproven: Set<NodeAddress> = []
  /// What servers that the configuration names call themselves.
  var ownNames: Set<NodeAddress> = []
  /// The same votes for Sentinels.
  var sentinelVoucherCounts: [NodeAddress: Int] = [:]
  var sentinelVoterCount = 0
  /// Other names of members: they are no members of their own.
  var aliases: Set<NodeAddress> = []
  /// The Sentinels to ask, known so far.
  var sentinels: Set<NodeAddress> = []
  /// Names that servers announce, for the `instance` label.
  var hostnames: [NodeAddress: String] = [:]
  var groups: [ReplicationGroup] = []
  var cluster: ClusterView?
  var sentinelView: SentinelView?
  var sentinelServers = SentinelServers()
  var replication: ReplicationView?

  /// Whether a closer look is worth its cost.
  var isTroubled: Bool {
    cluster.map { $0.members.isEmpty || $0.isTroubled } ?? false || sentinelView?.isTroubled ?? false
      || replication?.isTroubled ?? false
  }

  /// The same without servers that are not watched.
  func without(_ addresses: Set<NodeAddress>) -> Following {
    var following = self
    following.cluster = cluster?.without(addresses)
    following.replication = replication?.without(addresses)
    for index in groups.indices { following.groups[index].replicas.subtract(addresses) }
    return following
  }
}

/// Makes out the members of a workload from what the servers say. Pure: no I/O, no clock.
protocol Follower: Sendable {
  /// - Parameters:
  ///   - members: the servers that are or may be members.
  ///   - sentinels: the Sentinels; empty where there are none.
  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following
}

extension ReplicationGroup {
  /// The master first.
  var members: [NodeAddress] {
    [master].compactMap { $0 } + replicas.subtracting([master].compactMap { $0 }).sorted()
  }
}
