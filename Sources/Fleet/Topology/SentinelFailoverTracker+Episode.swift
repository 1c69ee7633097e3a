import Redis
import Runtime

/// What Sentinels say on the way to a switch: an episode opens when the master is found down or a failover is tried, and
/// ends with the switch, an abort or the master's return.
extension SentinelFailoverTracker {
  mutating func changed(
    _ change: SentinelEvent.Change, _ instance: SentinelEvent.Instance, _ sentinel: String, _ moment: WallTime
  ) -> [FailoverAction] {
    if change == .monitor { return [.poll] }
    if change == .promotedReplica { notePromotion(of: instance.address, sentinel, moment) }
    guard instance.isMaster || change == .selectedReplica || change == .promotedReplica else { return [] }
    if let index = lateIndex(instance.masterAddress, sentinel) { return late(change, index, moment) }
    switch change {
    case .subjectivelyDown, .objectivelyDown:
      open(moment) { episode in
        let isQuorum = change == .objectivelyDown
        if isQuorum { episode.hadQuorum = true }
        guard episode.downBy.count < Self.sentinelLimit else { return }
        episode.downBy.insert(sentinel)
        if isQuorum { episode.objectivelyDownBy.insert(sentinel) }
      }
      if change == .objectivelyDown { state.quorumDown = moment }
      mark(change, moment)
      return [.poll]
    case .subjectivelyUp, .objectivelyUp:
      return recovered(change, sentinel, moment)
    case .tryFailover:
      let epoch = epochs.published[sentinel]
      open(moment) { episode in
        // A new attempt after an abort starts its phases afresh; those of being down stay.
        if episode.attempting.isEmpty { episode.phases = episode.phases.filter { $0.key < .attempt } }
        if episode.attempting.count < Self.sentinelLimit {
          episode.attempting.insert(sentinel)
          episode.attemptEpochs[sentinel] = epoch
        }
        episode.hadAttempt = true
      }
      mark(change, moment)
      return [.poll]
    case .failoverEndForTimeout:
      episode?.trouble = change.rawValue
      return []
    case .abortNotElected, .abortNoGoodReplica, .abortReplicaTimeout:
      return aborted(change, instance, sentinel, moment)
    default:
      if change == .electedLeader, let epoch = episode?.attemptEpochs[sentinel] { episode?.epoch = epoch }
      if episode != nil { mark(change, moment) }
      return []
    }
  }

  private mutating func recovered(
    _ change: SentinelEvent.Change, _ sentinel: String, _ moment: WallTime
  ) -> [FailoverAction] {
    guard var open = episode else {
      // It went down before a restart of the daemon.
      state.quorumDown = nil
      return []
    }
    open.objectivelyDownBy.remove(sentinel)
    if change == .subjectivelyUp { open.downBy.remove(sentinel) }
    open.last = moment
    episode = open
    // The leader itself takes +odown back in mid-failover: an attempt goes on.
    guard open.attempting.isEmpty else { return [] }
    if open.objectivelyDownBy.isEmpty {
      episode?.hadQuorum = false
      state.quorumDown = nil
    }
    if open.downBy.isEmpty && open.objectivelyDownBy.isEmpty { episode = nil }
    return [.poll]
  }

  private mutating func aborted(
    _ change: SentinelEvent.Change, _ instance: SentinelEvent.Instance, _ sentinel: String, _ moment: WallTime
  ) -> [FailoverAction] {
    // Sentinels that run against each other in one round of the election abort one by one: that is one abort.
    let isKnownAttempt = episode?.attempting.isEmpty == false
    if !isKnownAttempt, let last = lastAbort, moment - last < Self.repeatSeconds { return [] }
    lastAbort = moment
    guard mayCountAbort(at: moment) else { return [] }
    var record = newRecord(.aborted, moment)
    record.from = instance.masterAddress
    record.phases = episode?.phases ?? [:]
    record.trouble = change.rawValue
    let wasDown = episode?.downBy.isEmpty == false
    if wasDown {
      open(moment) { episode in
        episode.attempting = []
        episode.hadAttempt = false
      }
    } else {
      episode = nil
    }
    return [.count(record), .poll]
  }

  // MARK: What is late

  /// The counted failover that an event about a former master still belongs to.
  private func lateIndex(_ master: NodeAddress, _ sentinel: String) -> Int? {
    if let address = state.address, master == address { return nil }
    return recent.lastIndex { $0.record.from.map { $0 == master } ?? false }
  }

  private mutating func late(_ change: SentinelEvent.Change, _ index: Int, _ moment: WallTime) -> [FailoverAction] {
    let old = recent[index].record
    if change == .failoverEndForTimeout { recent[index].record.trouble = change.rawValue }
    if let phase = Failover.Phase(change), old.phases[phase] == nil,
      phase != .sdown, phase != .odown
    {
      recent[index].record.phases[phase] = moment
    }
    let record = recent[index].record
    return record == old ? [] : [.update(record)]
  }

  // MARK: The episode

  private mutating func open(_ moment: WallTime, _ change: (inout Episode) -> Void) {
    var open = episode ?? Episode(last: moment)
    open.last = moment
    change(&open)
    episode = open
  }

  private mutating func mark(_ change: SentinelEvent.Change, _ moment: WallTime) {
    guard let phase = Failover.Phase(change) else { return }
    if episode?.phases[phase] == nil { episode?.phases[phase] = moment }
    episode?.last = moment
  }
}
