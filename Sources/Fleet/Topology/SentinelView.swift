import Redis

/// What one Sentinel says of one master.
public struct SentinelReport: Sendable, Equatable {
  /// Its run id, or its address where that is not known.
  public let sentinel: String
  public let address: NodeAddress
  /// nil where the Sentinel does not know the master.
  public let master: MonitoredMaster?
  public let replicas: [MonitoredReplica]
  /// The other Sentinels.
  public let peers: [PeerSentinel]
  public let quorum: QuorumCheck

  public init(
    sentinel: String, address: NodeAddress, master: MonitoredMaster?, replicas: [MonitoredReplica],
    peers: [PeerSentinel], quorum: QuorumCheck
  ) {
    self.sentinel = sentinel
    self.address = address
    self.master = master
    self.replicas = replicas
    self.peers = peers
    self.quorum = quorum
  }
}

/// A master, its replicas and its Sentinels, as the Sentinels that answered make them out together.
public struct SentinelView: Sendable, Equatable {
  public struct Replica: Sendable, Equatable {
    public let address: NodeAddress
    public let runID: String
    /// Found down by the majority of the Sentinels that know it.
    public let isDown: Bool
    /// Follows the agreed master and its link is up, as the majority last read from it.
    public let isFollowing: Bool
    /// Can be promoted: priority above 0.
    public let isElectable: Bool
  }

  /// Where the master is: by majority, then by the highest `config-epoch`. nil when no Sentinel knows the master.
  public let masterAddress: NodeAddress?
  public let configEpoch: Int
  public let isMasterDown: Bool
  public let isFailoverInProgress: Bool
  /// Sentinels that answered and name another master, or do not know it; in the order of the reports.
  public let dissenters: [String]
  public let answeringCount: Int
  /// Sentinels that are known at all, by run id: those that answered and their peers.
  public let knownSentinels: [String: NodeAddress]
  /// Of those, the ones that did not answer and that every report that knows them finds down.
  public let downSentinels: [String]
  /// Whether a failover could be agreed upon: by the majority of CKQUORUM answers; nil where there is none.
  public let hasQuorum: Bool?
  /// The smallest number of usable Sentinels that one counts, where one says so.
  public let usableCount: Int?
  /// Different values of `quorum` among the Sentinels: more than 1 is a drift of configuration.
  public let quorumSettings: Set<Int>
  /// In the order of their addresses.
  public let replicas: [Replica]
  /// Names and literal addresses are mixed for the group: each Sentinel may hold a node for another one.
  public let isAddressMixed: Bool

  /// Replicas that are down and beyond the expected number, met elsewhere: remembered until SENTINEL RESET.
  ///
  /// - Parameter expectedReplicaCount: as configured; nil means that none is known to be superfluous.
  public func ghosts(expectedReplicaCount: Int?) -> [NodeAddress] {
    guard let expectedReplicaCount, replicas.count(where: { !$0.isDown }) >= expectedReplicaCount else { return [] }
    return replicas.filter(\.isDown).map(\.address)
  }

  /// How many Sentinels are missing.
  public func missingSentinelCount(expected: Int) -> Int { max(0, expected - answeringCount) }

  /// Whether a closer look is worth its cost.
  public var isTroubled: Bool {
    masterAddress == nil || isMasterDown || isFailoverInProgress || !dissenters.isEmpty || hasQuorum == false
  }

  /// - Parameter reports: one of each Sentinel that answered; a second one of the same Sentinel is ignored.
  public init(_ all: [SentinelReport]) {
    var seen: Set<String> = []
    let reports = all.filter { seen.insert($0.sentinel).inserted }
    let masters = reports.compactMap(\.master)
    let agreed = Self.agreedMaster(masters)
    masterAddress = agreed?.address
    configEpoch = masters.map(\.configEpoch).max() ?? 0
    isMasterDown =
      masters.count { $0.flags.isDown } * 2 > masters.count || masters.contains { $0.flags.isObjectivelyDown }
    isFailoverInProgress = masters.contains { $0.flags.isFailoverInProgress }
    // A name and an address of the same master are no disagreement but a drift, told apart below.
    dissenters = reports.filter { report in
      guard let agreed, let own = report.master?.address else { return true }
      return !own.mayBe(agreed.address)
    }.map(\.sentinel)
    answeringCount = reports.count
    quorumSettings = Set(masters.map(\.quorum))

    var known: [String: NodeAddress] = [:]
    var downVotes: [String: (down: Int, all: Int)] = [:]
    for peer in reports.flatMap(\.peers) {
      let id = peer.runID.isEmpty ? peer.address.description : peer.runID
      known[id] = peer.address
      downVotes[id, default: (0, 0)].all += 1
      if peer.flags.isDown || peer.flags.isDisconnected { downVotes[id, default: (0, 0)].down += 1 }
    }
    for report in reports { known[report.sentinel] = report.address }
    knownSentinels = known
    downSentinels = known.keys.filter { id in
      !seen.contains(id) && downVotes[id].map { $0.down == $0.all } ?? true
    }.sorted()

    let votes: [(isReached: Bool, usable: Int)] = reports.compactMap { report in
      switch report.quorum {
      case .reached(let count): (true, count)
      case .notReached(let count): (false, count)
      case .unknown: nil
      }
    }
    hasQuorum = votes.isEmpty ? nil : votes.count(where: \.isReached) * 2 > votes.count
    usableCount = votes.map(\.usable).min()
    replicas = Self.merge(reports.flatMap(\.replicas), master: agreed?.address)
    let addresses = masters.map(\.address) + reports.flatMap { $0.replicas.map(\.address) }
    isAddressMixed = Set(addresses.map(\.isLiteral)).count > 1
  }

  private static func agreedMaster(_ masters: [MonitoredMaster]) -> MonitoredMaster? {
    let groups = Dictionary(grouping: masters, by: \.address)
    func rank(_ group: [MonitoredMaster]) -> (Int, Int) { (group.count, group.map(\.configEpoch).max() ?? 0) }
    let best = groups.values.max { left, right in
      if rank(left) != rank(right) { return rank(left) < rank(right) }
      return left[0].address > right[0].address
    }
    return best?.max { $0.configEpoch < $1.configEpoch }
  }

  private static func merge(_ replicas: [MonitoredReplica], master: NodeAddress?) -> [Replica] {
    Dictionary(grouping: replicas, by: \.address).map { address, views in
      let following = views.count { $0.isMasterLinkUp && $0.masterAddress.map { master?.mayBe($0) ?? false } ?? false }
      return Replica(
        address: address, runID: views.first { !$0.runID.isEmpty }?.runID ?? "",
        isDown: views.count { $0.flags.isDown } * 2 > views.count, isFollowing: following * 2 > views.count,
        isElectable: views.contains { $0.priority > 0 })
    }.sorted { $0.address < $1.address }
  }
}
