import Redis

/// What Sentinels say on the way to a switch: an episode opens when the master is found down or a failover is tried, and
/// ends with the switch, an abort or the master's return.
extension SentinelFailoverTracker {
  mutating func changed(
    _ change: SentinelEvent.Change, _ instance: SentinelEvent.Instance, _ sentinel: String, _ seconds: Double
  ) -> [FailoverAction] {
    if change == .monitor { return [.poll] }
    if change == .promotedReplica { notePromotion(of: instance.address, sentinel, seconds) }
    guard instance.isMaster || change == .selectedReplica || change == .promotedReplica else { return [] }
    if let index = lateIndex(instance.masterAddress, sentinel) { return late(change, index, seconds) }
    switch change {
    case .subjectivelyDown, .objectivelyDown:
      open(seconds) { episode in
        let isQuorum = change == .objectivelyDown
        if isQuorum { episode.hadQuorum = true }
        guard episode.downBy.count < Self.sentinelLimit else { return }
        episode.downBy.insert(sentinel)
        if isQuorum { episode.objectivelyDownBy.insert(sentinel) }
      }
      if change == .objectivelyDown { state.quorumDownSeconds = seconds }
      mark(change, seconds)
      return [.poll]
    case .subjectivelyUp, .objectivelyUp:
      return recovered(change, sentinel, seconds)
    case .tryFailover:
      open(seconds) { episode in
        // A new attempt after an abort starts its phases afresh; those of being down stay.
        if episode.attempting.isEmpty { episode.phaseSeconds = episode.phaseSeconds.filter { $0.key < .attempt } }
        if episode.attempting.count < Self.sentinelLimit { episode.attempting.insert(sentinel) }
        episode.hadAttempt = true
      }
      mark(change, seconds)
      return [.poll]
    case .failoverEndForTimeout:
      episode?.trouble = change.rawValue
      return []
    case .abortNotElected, .abortNoGoodReplica, .abortReplicaTimeout:
      return aborted(change, instance, sentinel, seconds)
    default:
      if episode != nil { mark(change, seconds) }
      return []
    }
  }

  private mutating func recovered(
    _ change: SentinelEvent.Change, _ sentinel: String, _ seconds: Double
  ) -> [FailoverAction] {
    guard var open = episode else {
      // It went down before a restart of the daemon.
      state.quorumDownSeconds = nil
      return []
    }
    open.objectivelyDownBy.remove(sentinel)
    if change == .subjectivelyUp { open.downBy.remove(sentinel) }
    open.lastSeconds = seconds
    episode = open
    // The leader itself takes +odown back in mid-failover: an attempt goes on.
    guard open.attempting.isEmpty else { return [] }
    if open.objectivelyDownBy.isEmpty {
      episode?.hadQuorum = false
      state.quorumDownSeconds = nil
    }
    if open.downBy.isEmpty && open.objectivelyDownBy.isEmpty { episode = nil }
    return [.poll]
  }

  private mutating func aborted(
    _ change: SentinelEvent.Change, _ instance: SentinelEvent.Instance, _ sentinel: String, _ seconds: Double
  ) -> [FailoverAction] {
    // Sentinels that run against each other in one round of the election abort one by one: that is one abort.
    let isKnownAttempt = episode?.attempting.isEmpty == false
    if !isKnownAttempt, let last = lastAbortSeconds, seconds - last < Self.repeatSeconds { return [] }
    lastAbortSeconds = seconds
    guard mayCountAbort(atSeconds: seconds) else { return [] }
    var record = newRecord(.aborted, seconds)
    record.from = instance.masterAddress
    record.phaseSeconds = episode?.phaseSeconds ?? [:]
    record.trouble = change.rawValue
    let wasDown = episode?.downBy.isEmpty == false
    if wasDown {
      open(seconds) { episode in
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

  private mutating func late(_ change: SentinelEvent.Change, _ index: Int, _ seconds: Double) -> [FailoverAction] {
    let old = recent[index].record
    if change == .failoverEndForTimeout { recent[index].record.trouble = change.rawValue }
    if let phase = Failover.Phase(change), old.phaseSeconds[phase] == nil,
      phase != .sdown, phase != .odown
    {
      recent[index].record.phaseSeconds[phase] = seconds
    }
    let record = recent[index].record
    return record == old ? [] : [.update(record)]
  }

  // MARK: The episode

  private mutating func open(_ seconds: Double, _ change: (inout Episode) -> Void) {
    var open = episode ?? Episode(lastSeconds: seconds)
    open.lastSeconds = seconds
    change(&open)
    episode = open
  }

  private mutating func mark(_ change: SentinelEvent.Change, _ seconds: Double) {
    guard let phase = Failover.Phase(change) else { return }
    if episode?.phaseSeconds[phase] == nil { episode?.phaseSeconds[phase] = seconds }
    episode?.lastSeconds = seconds
  }
}
