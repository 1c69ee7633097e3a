import Redis
import Runtime

extension SentinelFailoverTracker {
  /// What one Sentinel's SENTINEL MASTER says.
  public struct Observation: Sendable, Equatable {
    public let sentinel: String
    public let configEpoch: Int
    public let address: NodeAddress
    /// Sentinels of the master, with the one that was asked.
    public let sentinelCount: Int
    /// When the reply came.
    public let moment: WallTime

    public init(sentinel: String, configEpoch: Int, address: NodeAddress, sentinelCount: Int, moment: WallTime) {
      self.sentinel = sentinel
      self.configEpoch = max(0, configEpoch)
      self.address = address
      self.sentinelCount = sentinelCount
      self.moment = moment
    }

    public init(_ master: MonitoredMaster, sentinel: String, moment: WallTime) {
      self.init(
        sentinel: sentinel, configEpoch: master.configEpoch, address: master.address,
        sentinelCount: max(0, min(master.otherSentinelCount, 1000)) + 1, moment: moment)
    }
  }

  /// Takes in the `config-epoch` that a Sentinel has, after each (re)connect and poll.
  ///
  /// Of several Sentinels the epoch counts that most have reached. A higher one than is accounted for, with no switch heard,
  /// is a failover that was missed. It is counted once, however far the epoch rose: failed elections, and those of other
  /// masters, raise it too.
  public mutating func observe(_ observation: Observation) -> [FailoverAction] {
    var actions = advance(to: observation.moment)
    epochs.note(observation)
    actions += settleClaims(at: observation.moment)
    guard let observation = voterCount > 1 ? epochs.agreed(by: voterCount, observation) : observation else {
      return actions
    }
    guard let known = state.configEpoch else {
      epochs.baselineEnd = observation.moment + EpochTracker.settleSeconds
      accept(observation)
      return actions
    }
    if observation.configEpoch < known {
      if let epoch = epochs.loweredEpoch(
        below: known, agreed: voterCount > 1 ? observation.configEpoch : nil, at: observation.moment)
      {
        // The Sentinels were set up again: nothing is to be learnt from the fall.
        state.configEpoch = epoch
        state.unconfirmed = []
      }
      return actions
    }
    epochs.low = nil
    if observation.configEpoch == known {
      let isQuiet = state.unconfirmed.isEmpty && episode == nil && epochs.pending == nil
      if isQuiet, !(state.address?.mayBe(observation.address) ?? false) { state.address = observation.address }
    } else if let end = epochs.baselineEnd, observation.moment < end {
      accept(observation)
    } else if let covered = coveredCount(observation, above: known) {
      state.unconfirmed.removeFirst(covered)
      state.configEpoch = observation.configEpoch
      if let pending = epochs.pending, pending.epoch <= observation.configEpoch { epochs.pending = nil }
      actions += confirm(observation)
    } else {
      epochs.raise(observation, isNewAddress: !(state.address?.mayBe(observation.address) ?? true))
    }
    return actions
  }

  private mutating func accept(_ observation: Observation) {
    state.configEpoch = observation.configEpoch
    if state.unconfirmed.isEmpty { state.address = observation.address }
    state.unconfirmed.removeAll()
  }

  /// How many of the switches that were counted by events the observation confirms; nil for none.
  private func coveredCount(_ observation: Observation, above known: Int) -> Int? {
    // Each failover raises the epoch by one at least, so it cannot confirm more than it rose.
    state.unconfirmed.prefix(observation.configEpoch - known)
      .lastIndex { $0.mayBe(observation.address) }.map { $0 + 1 }
  }

  private mutating func confirm(_ observation: Observation) -> [FailoverAction] {
    guard
      let index = recent.lastIndex(where: {
        !$0.isConfirmed && $0.record.to?.mayBe(observation.address) == true
      })
    else { return [] }
    recent[index].isConfirmed = true
    guard recent[index].record.epoch != observation.configEpoch else { return [] }
    recent[index].record.epoch = observation.configEpoch
    return [.update(recent[index].record)]
  }

  /// Counts a failover known only from an epoch, once the events that could say more have had their time.
  mutating func settlePending(at moment: WallTime) -> [FailoverAction] {
    guard let pending = epochs.pending, let known = state.configEpoch else { return [] }
    // The leader raises the epoch before it publishes the switch: with the old address there is more to come.
    let isUnderWay = !pending.isNewAddress && episode?.hadAttempt == true
    let wait = pending.isNewAddress ? EpochTracker.settleSeconds : EpochTracker.sameAddressSeconds
    guard !isUnderWay, moment - pending.since >= wait else { return [] }
    epochs.pending = nil
    guard pending.epoch > known else { return [] }
    state.configEpoch = pending.epoch
    guard state.unconfirmed.isEmpty else {
      state.unconfirmed = []
      return []
    }
    let atMost = pending.epoch - known
    return [missed(to: pending.address, epoch: pending.epoch, atMost: atMost, moment), .poll]
  }

  mutating func missed(to address: NodeAddress, epoch: Int?, atMost: Int, _ moment: WallTime) -> FailoverAction {
    var record = newRecord(.missed, moment)
    record.from = state.address
    record.to = address
    record.epoch = epoch
    record.atMost = max(1, atMost)
    // The same address again: there and back, or not yet published; the events may still say.
    if let from = record.from, from.mayBe(address) { (record.from, record.to) = (nil, nil) }
    state.address = address
    state.lastFailover = moment
    remember(Recent(record: record, toldBy: []))
    return .count(record)
  }
}

/// What the Sentinels' epochs have been lately.
struct EpochTracker: Sendable {
  /// An epoch above what is accounted for.
  struct Pending: Sendable {
    var epoch: Int
    var address: NodeAddress
    var isNewAddress: Bool
    var since: WallTime
  }

  /// How long events may come after an observation that was ahead of them; also how long the first observations of all
  /// Sentinels are taken as they are.
  static let settleSeconds = 5.0
  /// The same while the address is still the old one.
  static let sameAddressSeconds = 60.0
  static let freshSeconds = 60.0

  var pending: Pending?
  var baselineEnd: WallTime?
  /// Since when every Sentinel is below what is accounted for.
  var low: WallTime?
  private var newest: [String: SentinelFailoverTracker.Observation] = [:]
  /// By Sentinel the epoch that it published last.
  private(set) var published: [String: Int] = [:]

  mutating func publish(_ epoch: Int, _ sentinel: String) {
    guard published.count < SentinelFailoverTracker.sentinelLimit || published[sentinel] != nil else { return }
    published[sentinel] = epoch
  }

  mutating func note(_ observation: SentinelFailoverTracker.Observation) {
    if newest.count >= SentinelFailoverTracker.sentinelLimit {
      newest = newest.filter { observation.moment - $0.value.moment <= Self.freshSeconds }
    }
    if newest.count < SentinelFailoverTracker.sentinelLimit || newest[observation.sentinel] != nil {
      newest[observation.sentinel] = observation
    }
  }

  private func fresh(at moment: WallTime) -> [SentinelFailoverTracker.Observation] {
    newest.values.filter { moment - $0.moment <= Self.freshSeconds }
  }

  /// The Sentinels that named this master when they were last asked.
  func sentinels(naming address: NodeAddress, at moment: WallTime) -> [String] {
    fresh(at: moment).filter { $0.address.mayBe(address) }.map(\.sentinel)
  }

  /// The highest epoch that most of the Sentinels have reached, with the master that most of those name; nil while fewer
  /// than that were asked.
  func agreed(by voterCount: Int, _ newest: SentinelFailoverTracker.Observation) -> SentinelFailoverTracker.Observation?
  {
    let ordered = fresh(at: newest.moment).sorted {
      ($1.configEpoch, $0.sentinel) < ($0.configEpoch, $1.sentinel)
    }
    guard ordered.count > voterCount / 2 else { return nil }
    let epoch = ordered[voterCount / 2].configEpoch
    let reached = ordered.filter { $0.configEpoch >= epoch }
    let votes = Dictionary(reached.map { ($0.address, 1) }, uniquingKeysWith: +)
    guard let address = votes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else { return nil }
    return SentinelFailoverTracker.Observation(
      sentinel: "", configEpoch: epoch, address: address, sentinelCount: voterCount, moment: newest.moment)
  }

  mutating func raise(_ observation: SentinelFailoverTracker.Observation, isNewAddress: Bool) {
    guard var pending, pending.epoch <= observation.configEpoch else {
      if pending == nil {
        pending = Pending(
          epoch: observation.configEpoch, address: observation.address, isNewAddress: isNewAddress,
          since: observation.moment)
      }
      return
    }
    // A Sentinel with the new address knows more than one with the old address.
    if isNewAddress || !pending.isNewAddress { pending.address = observation.address }
    if isNewAddress && !pending.isNewAddress { pending.since = observation.moment }
    pending.isNewAddress = pending.isNewAddress || isNewAddress
    pending.epoch = observation.configEpoch
    self.pending = pending
  }

  /// The epoch to go on from when a majority has been below `known` for a minute and nobody has it; else nil.
  ///
  /// - Parameter agreed: what most have reached, where that was made out.
  mutating func loweredEpoch(below known: Int, agreed: Int?, at moment: WallTime) -> Int? {
    let fresh = fresh(at: moment)
    let count = agreed == nil ? fresh.map(\.sentinelCount).max() ?? 1 : 0
    guard let highest = agreed ?? fresh.map(\.configEpoch).max(), highest < known, fresh.count * 2 > count else {
      low = nil
      return nil
    }
    let since = low ?? moment
    low = since
    guard moment - since >= Self.freshSeconds else { return nil }
    low = nil
    return highest
  }
}
