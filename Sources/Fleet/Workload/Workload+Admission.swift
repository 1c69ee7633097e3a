import Config
import Redis

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

extension Workload {
  /// Whether an address is known by more than a peer's word.
  func isTrusted(_ address: NodeAddress) -> Bool {
    config.topology == .static || admission.confirmed.contains(address) || isKnown(address)
  }

  private func isKnown(_ address: NodeAddress) -> Bool {
    factory.policy.isSeed(address) || knownBefore.contains(address) || following.ownNames.contains(address)
  }

  /// What is listened to. Nodes of a cluster name one another: who is not confirmed has no say, while anybody else answers.
  func heard(_ readings: [MemberReading]) -> [MemberReading] {
    guard config.topology == .cluster,
      readings.contains(where: { $0.facts?.cluster != nil && isTrusted($0.address) })
    else { return readings }
    return readings.map { isTrusted($0.address) ? $0 : $0.withoutFacts }
  }

  func heard(fromSentinels readings: [MemberReading]) -> [MemberReading] {
    readings.map { isKnown($0.address) || sentinelAdmission.confirmed.contains($0.address) ? $0 : $0.withoutFacts }
  }

  /// - Returns: the listed members that are watched, and those that are only asked for their view.
  func admit(_ all: [Roster.Listing], _ now: Double) -> ([Roster.Listing], scouts: Set<NodeAddress>) {
    turnedAway = TurnedAway()
    guard config.topology != .static, !all.isEmpty else { return (all, []) }
    let listings = all.filter { listing in
      guard let refusal = factory.policy.refusal(of: listing.address) else { return true }
      turnedAway.note(refusal, listing.address)
      return false
    }
    admission.forget(following.aliases)
    let before = admission.confirmed
    let forgotten = admission.update(
      listings.map { listing in
        Admission.Candidate(
          address: listing.address, voucherCount: following.voucherCounts[listing.address] ?? 0,
          answers: listing.answers, isUp: listing.isUp)
      }, voterCount: following.voterCount, isKnown: isKnown, kept: Set(roster.members.keys),
      expectedCount: config.expected.nodes, atSeconds: now)
    // Where several could name it and few do, it is on no page.
    let scouts = following.voterCount > 1 ? Set(admission.unconfirmed.keys) : []
    roster.forget(forgotten.union(scouts).union(roster.members.keys.filter { factory.policy.refusal(of: $0) != nil }))
    for address in admission.confirmed.subtracting(before).sorted() where roster.members[address] != nil {
      tell(.arrived(address))
    }
    if let example = admission.waitingExample {
      turnedAway.note(.unconfirmed, example, count: admission.waitingCount)
    }
    if let example = scouts.min() { turnedAway.note(.unconfirmed, example, count: scouts.count) }
    let watched = admission.admitted.subtracting(scouts)
    let others = Set(all.map(\.address)).subtracting(watched)
    following.cluster = following.cluster?.without(others)
    for index in following.groups.indices { following.groups[index].replicas.subtract(others) }
    return (listings.filter { watched.contains($0.address) }, scouts)
  }

  /// - Returns: the Sentinels that are asked.
  func admitSentinels(_ now: Double) -> Set<NodeAddress> {
    guard let group = config.sentinel else { return [] }
    let seeds = group.seeds.map { NodeAddress($0) }
    var wanted = following.sentinels.union(following.sentinels.isEmpty ? seeds : [])
    if !sentinels.isEmpty, !sentinels.values.contains(where: { $0.reading.answers != false }) {
      wanted.formUnion(archive.addresses("sentinels"))
    }
    let candidates = wanted.sorted().compactMap { address -> Admission.Candidate? in
      if let refusal = factory.policy.refusal(of: address) {
        turnedAway.note(refusal, address)
        return nil
      }
      return Admission.Candidate(
        address: address, voucherCount: following.sentinelVoucherCounts[address] ?? 0,
        answers: sentinels[address]?.reading.answers, isUp: nil)
    }
    _ = sentinelAdmission.update(
      candidates, voterCount: following.sentinelVoterCount, isKnown: isKnown, kept: [],
      expectedCount: config.expected.sentinels, atSeconds: now)
    if let example = sentinelAdmission.waitingExample {
      turnedAway.note(.unconfirmed, example, count: sentinelAdmission.waitingCount)
    }
    return sentinelAdmission.admitted
  }
}
