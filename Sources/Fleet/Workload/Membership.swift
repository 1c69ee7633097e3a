import Config
import Redis
import Runtime

/// Decides who is watched: the members, the Sentinels, and those that are only asked for their view. Pure.
struct Membership: Sendable {
  /// The nodes that there should be.
  struct Wanted: Sendable, Equatable {
    var members: Set<NodeAddress> = []
    /// On no page: seeds while no member answers, and those that few name.
    var scouts: Set<NodeAddress> = []
    var sentinels: Set<NodeAddress> = []
  }

  struct Decision: Sendable {
    var wanted = Wanted()
    /// For the log.
    var changes: [Roster.Change] = []
    /// Members that came and went while it was known who had been there.
    var arrivals: [NodeAddress] = []
    var departures: [NodeAddress] = []
  }

  /// How long it takes to find everybody from one seed.
  static let settleSeconds = 6.0
  /// Places to start from that are remembered: a few will do.
  private static let placeLimit = 32

  let policy: AddressPolicy
  private let config: WorkloadConfig
  private let seeds: [NodeAddress]
  private let memberLimit: Int
  /// The members when the daemon last watched; empty at its first start.
  private let remembered: Set<NodeAddress>
  /// Those that were members or Sentinels before.
  private let knownBefore: Set<NodeAddress>
  /// The members and Sentinels when they were last made out: further places to start from when the seeds are gone.
  private(set) var lastMembers: [NodeAddress]
  private(set) var lastSentinels: [NodeAddress]
  private var roster: Roster
  private var admission = Admission()
  private var sentinelAdmission = Admission(.sentinels)
  /// Who is announced and not watched.
  private(set) var turnedAway = TurnedAway()
  /// Whether the members were ever made out; before that the seeds stand in for them.
  private var isDiscovered: Bool { newsFrom != nil }
  /// Members that are found before this were there all along, or are compared with those of the last time; nil before any
  /// was made out.
  private var newsFrom: Monotonic?
  /// Whether everybody has been found: what comes from then on is news.
  private(set) var isSettled = false

  /// Whether everybody who is watched has been polled once, whatever came of it. Before that nothing can be counted: who has
  /// not been asked is not missing.
  private(set) var isPolled = false

  init(
    _ config: WorkloadConfig, memberLimit: Int = .max, remembered: Set<NodeAddress> = [],
    lastMembers: [NodeAddress] = [], lastSentinels: [NodeAddress] = []
  ) {
    self.config = config
    self.memberLimit = memberLimit
    self.remembered = remembered
    self.lastMembers = lastMembers
    self.lastSentinels = lastSentinels
    policy = AddressPolicy(config)
    seeds = config.seeds.map { NodeAddress($0) }
    knownBefore = remembered.union(lastMembers).union(lastSentinels)
    roster = Self.roster(memberLimit)
  }

  private static func roster(_ memberLimit: Int) -> Roster {
    var options = Roster.Options()
    options.memberLimit = min(options.memberLimit, memberLimit)
    return Roster(options)
  }

  /// How each member stands.
  var standings: [NodeAddress: Roster.State] { roster.members }
  /// The Sentinels whose word counts.
  var sentinels: Set<NodeAddress> { sentinelAdmission.confirmed }

  // MARK: Whose word counts

  /// Whether an address is known by more than a peer's word.
  func isTrusted(_ address: NodeAddress, _ following: Following) -> Bool {
    config.topology.isIndependent || admission.confirmed.contains(address) || isKnown(address, following)
  }

  private func isKnown(_ address: NodeAddress, _ following: Following) -> Bool { known(following)(address) }

  /// Whether an address is the configuration's, or was watched before, or is a server's that the configuration names.
  private func known(_ following: Following) -> (NodeAddress) -> Bool {
    { [policy, knownBefore, ownNames = following.ownNames] address in
      policy.isSeed(address) || knownBefore.contains(address) || ownNames.contains(address)
    }
  }

  /// What is listened to. Nodes of a cluster name one another: who is not confirmed has no say, while anybody else answers.
  func heard(_ readings: [MemberReading], _ following: Following) -> [MemberReading] {
    guard config.topology == .cluster,
      readings.contains(where: { $0.facts?.cluster != nil && isTrusted($0.address, following) })
    else { return readings }
    return readings.map { isTrusted($0.address, following) ? $0 : $0.withoutFacts }
  }

  func heard(fromSentinels readings: [MemberReading], _ following: Following) -> [MemberReading] {
    readings.map { reading in
      isKnown(reading.address, following) || sentinels.contains(reading.address) ? reading : reading.withoutFacts
    }
  }

  // MARK: Who is watched

  /// - Parameters:
  ///   - following: what the follower made out; who is not watched is taken out of it.
  ///   - members: the newest readings of the members and of the Sentinels.
  ///   - now: by a clock that only goes forward.
  mutating func decide(
    _ following: inout Following, members: [MemberReading], sentinels: [MemberReading], at now: Monotonic
  ) -> Decision {
    var decision = Decision()
    turnedAway = TurnedAway()
    if !following.listings.isEmpty, !isDiscovered {
      // The seeds that stood in for the members may be known by other addresses now.
      newsFrom = now + Self.settleSeconds
      roster = Self.roster(memberLimit)
    }
    let answers = Dictionary(members.map { ($0.address, $0.answers) }, uniquingKeysWith: { first, _ in first })
    var listings = seeds.map { Roster.Listing($0, isUp: nil, answers: answers[$0] ?? nil) }
    if isDiscovered {
      listings = following.listings
      if !config.topology.isIndependent, !listings.isEmpty { listings = admit(&following, &decision, now) }
    }
    roster.forget(following.aliases)
    if !isSettled, let newsFrom, now >= newsFrom { settle(following, &decision, now) }
    for change in roster.update(listings, expectedCount: config.expected.nodes, at: now) {
      note(change, following, &decision)
    }
    decision.wanted.members = Set(roster.members.keys)
    // While nobody answers, those of before are asked as well.
    if !config.topology.isIndependent, members.allSatisfy({ $0.answers == false }) {
      decision.wanted.scouts.formUnion((seeds + lastMembers).filter { policy.refusal(of: $0) == nil })
    }
    decision.wanted.scouts.subtract(decision.wanted.members)
    decision.wanted.sentinels = admitSentinels(following, sentinels, now)
    if !isPolled {
      let polled = Set((members + sentinels).lazy.filter { $0.answers != nil }.map(\.address))
      isPolled = !polled.isEmpty && decision.wanted.members.union(decision.wanted.sentinels).isSubset(of: polled)
    }
    if isDiscovered, !following.listings.isEmpty {
      lastMembers = places(decision.wanted.members.filter { isTrusted($0, following) })
    }
    if following.sentinelView.map({ $0.answeringCount > 0 }) == true { lastSentinels = places(self.sentinels) }
    return decision
  }

  private func places(_ addresses: Set<NodeAddress>) -> [NodeAddress] {
    Array(addresses.sorted().prefix(Self.placeLimit))
  }

  /// - Returns: the listed members that are watched.
  private mutating func admit(
    _ following: inout Following, _ decision: inout Decision, _ now: Monotonic
  ) -> [Roster.Listing] {
    let all = following.listings
    let listings = all.filter { listing in
      guard let refusal = policy.refusal(of: listing.address) else { return true }
      turnedAway.note(refusal, listing.address)
      return false
    }
    admission.forget(following.aliases)
    let before = admission.confirmed
    let unproven = following.unproven
    func isProven(_ listing: Roster.Listing) -> Bool { !unproven.contains(listing.address) }
    let candidates = listings.map { listing in
      Admission.Candidate(
        address: listing.address, voucherCount: isProven(listing) ? following.voucherCounts[listing.address] ?? 0 : 0,
        answers: isProven(listing) ? listing.answers : false, isUp: listing.isUp)
    }
    let forgotten = admission.update(
      candidates, voterCount: following.voterCount, isKnown: known(following), kept: Set(roster.members.keys),
      expectedCount: config.expected.nodes, at: now)
    // Where several could name it and few do, or it may be no replica at all, it is on no page.
    let scouts = Set(admission.unconfirmed.keys.filter { following.voterCount > 1 || unproven.contains($0) })
    roster.forget(forgotten.union(scouts).union(roster.members.keys.filter { policy.refusal(of: $0) != nil }))
    for address in admission.confirmed.subtracting(before).sorted() where roster.members[address] != nil {
      note(.arrived(address), following, &decision)
    }
    if let example = admission.waitingExample {
      turnedAway.note(.unconfirmed, example, count: admission.waitingCount)
    }
    let suspects = scouts.intersection(unproven)
    if let example = suspects.min() { turnedAway.note(.unproven, example, count: suspects.count) }
    let unconfirmed = scouts.subtracting(unproven)
    if let example = unconfirmed.min() { turnedAway.note(.unconfirmed, example, count: unconfirmed.count) }
    let watched = admission.admitted.subtracting(scouts)
    let others = Set(all.map(\.address)).subtracting(watched)
    following = following.without(others)
    decision.wanted.scouts = scouts
    return listings.filter { watched.contains($0.address) }
  }

  /// - Returns: the Sentinels that are asked.
  private mutating func admitSentinels(
    _ following: Following, _ readings: [MemberReading], _ now: Monotonic
  ) -> Set<NodeAddress> {
    guard let group = config.sentinel else { return [] }
    let seeds = group.seeds.map { NodeAddress($0) }
    var wanted = following.sentinels.union(following.sentinels.isEmpty ? seeds : [])
    if !readings.isEmpty, readings.allSatisfy({ $0.answers == false }) { wanted.formUnion(lastSentinels) }
    let answers = Dictionary(readings.map { ($0.address, $0.answers) }, uniquingKeysWith: { first, _ in first })
    let candidates = wanted.sorted().compactMap { address -> Admission.Candidate? in
      if let refusal = policy.refusal(of: address) {
        turnedAway.note(refusal, address)
        return nil
      }
      return Admission.Candidate(
        address: address, voucherCount: following.sentinelVoucherCounts[address] ?? 0,
        answers: answers[address] ?? nil, isUp: nil)
    }
    _ = sentinelAdmission.update(
      candidates, voterCount: following.sentinelVoterCount, isKnown: known(following), kept: [],
      expectedCount: config.expected.sentinels, at: now)
    if let example = sentinelAdmission.waitingExample {
      turnedAway.note(.unconfirmed, example, count: sentinelAdmission.waitingCount)
    }
    return sentinelAdmission.admitted
  }

  // MARK: What is news

  /// Compares the members with those of the last time.
  private mutating func settle(_ following: Following, _ decision: inout Decision, _ now: Monotonic) {
    isSettled = true
    guard !remembered.isEmpty else { return }
    decision.arrivals += roster.members.keys.sorted().filter { address in
      !remembered.contains(address) && isTrusted(address, following)
    }
    for address in remembered.sorted() where roster.members[address] == nil && !following.aliases.contains(address) {
      if config.topology.isIndependent {
        decision.departures.append(address)
      } else if policy.refusal(of: address) == nil {
        // It may be the one that is down and that nobody names any more.
        roster.remember(address, at: now)
      }
    }
  }

  private func note(_ change: Roster.Change, _ following: Following, _ decision: inout Decision) {
    switch change {
    case .arrived(let address):
      guard isTrusted(address, following) else { return }
      if isSettled { decision.arrivals.append(address) }
    case .dropped(let address): if isSettled { decision.departures.append(address) }
    case .went, .returned, .becameGhost: break
    }
    decision.changes.append(change)
  }
}

extension Admission.Options {
  /// There are few Sentinels, and each one's word counts.
  static let sentinels = Admission.Options(
    unconfirmedLimit: 16, unconfirmedPerSecond: 1, burst: 16, patienceSeconds: 10, memberLimit: 100)
}

/// Who was announced and is not watched, by why not.
struct TurnedAway: Sendable {
  private(set) var counts: [MemberRefusal: Int] = [:]
  private var examples: [MemberRefusal: NodeAddress] = [:]

  mutating func note(_ reason: MemberRefusal, _ address: NodeAddress, count: Int = 1) {
    guard count > 0 else { return }
    counts[reason, default: 0] += count
    examples[reason] = min(examples[reason] ?? address, address)
  }

  /// How many were turned away for a reason, and the first of them by its name.
  subscript(reason: MemberRefusal) -> (count: Int, example: NodeAddress)? {
    guard let count = counts[reason], let example = examples[reason] else { return nil }
    return (count, example)
  }
}
