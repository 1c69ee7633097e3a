import Config
import Redis
import Runtime

/// Follows the master and replicas that the Sentinels name.
struct SentinelFollower: Follower {
  let seeds: [NodeAddress]
  let expectedSentinelCount: Int?
  private var identities = Identities(preferred: [])
  private var proofs = ReplicaProofs()

  init(seeds: [NodeAddress], expectedSentinelCount: Int?) {
    self.seeds = seeds
    self.expectedSentinelCount = expectedSentinelCount
  }

  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following {
    identities.learn(members)
    let reports = Self.reports(sentinels)
    let view = SentinelView(reports)
    var following = Following()
    following.aliases = identities.aliases
    following.sentinelView = view
    let servers = sentinels.compactMap { reading in reading.facts.map { (reading.address, $0.server) } }
    following.sentinelServers = SentinelServers(
      noSentinels: servers.filter { seeds.contains($0.0) && $0.1.mode != .sentinel }.map(\.0).sorted(),
      masterNames: Set(servers.flatMap(\.1.sentinelMasters)).sorted(),
      monitored: Dictionary(
        reports.compactMap { report in report.master.map { (report.address, $0) } },
        uniquingKeysWith: { first, _ in first }))
    following.sentinels = wanted(view, asked: sentinels, reports)
    following.sentinelVoterCount = reports.count
    following.sentinelVoucherCounts = Self.counts(
      reports.map { report in Set(report.peers.map(\.address) + [report.address]) })
    following.voterCount = reports.count
    following.voucherCounts = Self.counts(
      reports.map { report in
        let named = report.replicas.map(\.address) + [report.master?.address].compactMap { $0 }
        return Set(named.map { identities[$0] })
      })

    let own = members.filter { identities[$0.address] == $0.address }
    let readings = Dictionary(own.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    var isUp: [NodeAddress: Bool] = [:]
    for replica in view.replicas { isUp[identities[replica.address]] = !replica.isDown }
    let master = view.masterAddress.map { identities[$0] }
    // A Sentinel that had an answer knows the run id.
    let answered = Set(view.replicas.filter { !$0.runID.isEmpty }.map { identities[$0.address] })
    proofs.note(listed: Set(isUp.keys).subtracting(answered), own, proven: answered.union([master].compactMap { $0 }))
    following.unproven = Set(isUp.keys.filter(proofs.isSuspect))
    if let master { isUp[master] = !view.isMasterDown }
    following.listings = isUp.keys.sorted().map {
      Roster.Listing($0, isUp: isUp[$0], answers: readings[$0]?.answers)
    }
    // Members that no Sentinel names any more can still show a split.
    let all = Set(isUp.keys).union(own.filter { $0.facts != nil }.map(\.address)).sorted()
    let replication = replicationView(all, readings, identities, authority: master)
    following.replication = replication
    following.groups = [
      ReplicationGroup(master: replication.master, replicas: Set(isUp.keys).subtracting([master].compactMap { $0 }))
    ]
    return following
  }

  private static func counts(_ named: [Set<NodeAddress>]) -> [NodeAddress: Int] {
    named.reduce(into: [:]) { counts, addresses in for address in addresses { counts[address, default: 0] += 1 } }
  }

  /// What the Sentinels that answered say; a Sentinel that does not tell its id is known by what its peers call it.
  static func reports(_ sentinels: [MemberReading]) -> [SentinelReport] {
    let answers = sentinels.compactMap { reading in reading.facts?.sentinel.map { (reading.address, $0) } }
    let names = Dictionary(
      answers.flatMap { $0.1.peers }.filter { !$0.runID.isEmpty }.map { ($0.address, $0.runID) },
      uniquingKeysWith: { first, _ in first })
    return answers.map { address, facts in
      SentinelReport(
        sentinel: facts.id ?? names[address] ?? address.description, address: address, master: facts.master,
        replicas: facts.replicas, peers: facts.peers, quorum: facts.quorum)
    }
  }

  /// Those that answered, under the first address by which they did, the seeds that did not, and peers as far as some are
  /// missing: a Sentinel remembers its dead peers for ever.
  private func wanted(
    _ view: SentinelView, asked: [MemberReading], _ reports: [SentinelReport]
  ) -> Set<NodeAddress> {
    var addressOf: [String: NodeAddress] = [:]
    for report in reports where addressOf[report.sentinel] == nil || seeds.contains(report.address) {
      addressOf[report.sentinel] = report.address
    }
    let answering = Set(reports.map(\.address))
    var wanted = Set(addressOf.values).union(seeds.filter { !answering.contains($0) })
    let isMet = expectedSentinelCount.map { addressOf.count >= $0 } ?? false
    for (id, address) in view.knownSentinels where addressOf[id] == nil {
      if !isMet || !view.downSentinels.contains(id) { wanted.insert(address) }
    }
    return wanted
  }
}

extension SentinelFollower {
  init(_ config: WorkloadConfig) {
    self.init(
      seeds: config.sentinel?.seeds.map { NodeAddress($0) } ?? [], expectedSentinelCount: config.expected.sentinels)
  }
}
