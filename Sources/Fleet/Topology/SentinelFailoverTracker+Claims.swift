import Redis
import Runtime

/// Switches that Sentinels report, until it is known whether they are true.
///
/// A Sentinel vouches for a switch when it publishes it, when it told that the new master was promoted, or when it names
/// the new master when asked. One alone may be wrong, or lie.
extension SentinelFailoverTracker {
  struct Claim: Sendable {
    let from: NodeAddress
    let to: NodeAddress
    /// The Sentinels that published it.
    var toldBy: Set<String>
    /// When it was first published.
    let moment: WallTime
  }

  struct Promotion: Sendable {
    let address: NodeAddress
    let moment: WallTime
  }

  /// How long a claim waits to be confirmed.
  static let claimSeconds = 30.0
  /// Claims of one Sentinel that wait at once.
  static let claimLimit = 4

  /// Counts the claims that most Sentinels, or the servers themselves, confirm by now.
  ///
  /// - Parameter role: what a server's newest poll says; nil for one that is not polled.
  mutating func settleClaims(
    at now: WallTime, role: (NodeAddress) -> FailoverEvidence.Role? = { _ in nil }
  ) -> [FailoverAction] {
    var actions: [FailoverAction] = []
    for claim in claims where isConfirmed(claim, at: now, role) {
      claims.removeAll { $0.from == claim.from && $0.to == claim.to }
      if claim.to != state.address { actions += count(claim, at: now) }
    }
    return actions
  }

  mutating func claim(from: NodeAddress, to: NodeAddress, _ sentinel: String, _ moment: WallTime) {
    if let index = claims.firstIndex(where: { $0.from.mayBe(from) && $0.to.mayBe(to) }) {
      claims[index].toldBy.insert(sentinel)
      return
    }
    // However much one Sentinel makes up, it takes no room of the others.
    if claims.count(where: { $0.toldBy.contains(sentinel) }) >= Self.claimLimit,
      let oldest = claims.firstIndex(where: { $0.toldBy == [sentinel] })
    {
      claims.remove(at: oldest)
      unconfirmedCount += 1
    }
    guard claims.count < Self.claimLimit * Self.sentinelLimit else { return }
    claims.append(Claim(from: from, to: to, toldBy: [sentinel], moment: moment))
  }

  mutating func notePromotion(of address: NodeAddress, _ sentinel: String, _ moment: WallTime) {
    guard promotions.count < Self.sentinelLimit || promotions[sentinel] != nil else { return }
    promotions[sentinel] = Promotion(address: address, moment: moment)
  }

  mutating func dropOldClaims(at now: WallTime) {
    promotions = promotions.filter { abs(now - $0.value.moment) <= Self.repeatSeconds }
    let old = claims.count { abs(now - $0.moment) > Self.claimSeconds }
    guard old > 0 else { return }
    claims.removeAll { abs(now - $0.moment) > Self.claimSeconds }
    unconfirmedCount += old
  }

  private func isConfirmed(_ claim: Claim, at now: WallTime, _ role: (NodeAddress) -> FailoverEvidence.Role?)
    -> Bool
  {
    let vouchers = claim.toldBy.union(promotions.filter { $0.value.address.mayBe(claim.to) }.keys)
      .union(epochs.sentinels(naming: claim.to, at: now))
    if vouchers.count * 2 > voterCount { return true }
    // A former master that does not know yet says that it still is one.
    return role(claim.to) == .master && [.replica, .silent].contains(role(claim.from))
  }
}
