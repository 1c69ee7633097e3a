import Config
import Redis
import Runtime

extension Workload {
  /// What is wrong or out of the ordinary.
  func findings(_ objectives: Objectives, atSeconds now: Double) -> [WorkloadOverview.Finding] {
    var all = absences + turnedAway.findings + unconfirmedFailovers
    if let view = following.cluster, !view.members.isEmpty {
      all += view.findings { id in view[id].map { instance($0.address) } ?? id }
    }
    if let view = following.sentinelView { all += view.findings(expectedCount: config.expected.sentinels) }
    if let view = following.replication { all += view.findings(instance, rivals, atSeconds: now) }
    let up = members.sorted { $0.key < $1.key }.compactMap { address, node in
      node.reading.facts.map { (address: address, instance: node.instance, facts: $0) }
    }
    all += drift.findings
    for member in up {
      all += member.facts.findings(
        of: member.instance, config, objectives, isFsyncDelayed: delayedFsyncs.isRising(at: member.address),
        nowSeconds: wallClockSeconds())
    }
    all += backupFindings(objectives, nowSeconds: wallClockSeconds()) + serviceFindings(objectives)
    if let limit = objectives.replicationLag?.seconds {
      for (address, node) in members.sorted(by: { $0.key < $1.key }) where node.reading.answers == true {
        guard let lag = lags.lag(of: address, atSeconds: now), lag.seconds > limit else { continue }
        let state = lag.state == .online ? "" : " (\(lag.state.rawValue))"
        all.append(.init(.warning, "\(node.instance) is \(amount(seconds: lag.seconds)) behind its master\(state)"))
      }
    }
    return all
  }

  /// Switches that somebody told of and that did not take place, as far as anybody else knows.
  private var unconfirmedFailovers: [WorkloadOverview.Finding] {
    guard let count = failovers?.unconfirmedCount, count > 0 else { return [] }
    let text = "\(count) switches of the master were published that neither most Sentinels nor the servers confirm"
    return [.init(.warning, text)]
  }

  /// What clients would notice: probes that fail, and lookups that find nothing.
  private func serviceFindings(_ objectives: Objectives) -> [WorkloadOverview.Finding] {
    let slow = members.values.filter { $0.reading.answers == true && $0.isProbeAnswered == false }
    var all = slow.sorted { $0.address < $1.address }.map {
      WorkloadOverview.Finding(.warning, "\($0.instance) does not answer probes in time")
    }
    if let limit = objectives.hitRatio, let ratio = hits.ratio, ratio.value < limit {
      func percent(_ share: Double) -> Int { Int(clamping: (share * 100).rounded(.down)) }
      all.append(
        .init(
          .warning,
          "\(percent(ratio.value)) % of lookups find their key, over the last minutes; wanted are \(percent(limit)) %"))
    }
    return all
  }

  /// Members that are missing, or not there in the number that is expected.
  private var absences: [WorkloadOverview.Finding] {
    var all: [WorkloadOverview.Finding] = []
    let readings = members.values.map(\.reading)
    let known = readings.filter { $0.answers != nil }
    let present = readings.count { $0.answers == true }
    let masters = readings.count { $0.facts?.replication?.isMaster == true }
    if present == 0 {
      // Before the first polls have ended nothing is known, and nothing wrong.
      return known.isEmpty ? [.init(.note, "No poll has ended yet")] : [.init(.grave, "No member answers")]
    }
    if let expected = config.expected.masters, masters < expected {
      all.append(.init(.grave, "\(masters) of \(expected) masters answer"))
    }
    if let expected = config.expected.nodes, present < expected {
      all.append(.init(.warning, "\(present) of \(expected) members answer"))
    }
    let down = members.values.filter {
      $0.reading.answers == false && roster.members[$0.address]?.name != "ghost"
    }.sorted { $0.address < $1.address }
    for node in down {
      let reason = node.node.poller.newest?.state.name ?? "unknown"
      all.append(.init(.warning, "\(node.instance) is down: \(reason)"))
    }
    return all
  }
}

extension MemberFacts {
  /// How a member that answers stands against its workload.
  func findings(
    of name: String, _ config: WorkloadConfig, _ objectives: Objectives, isFsyncDelayed: Bool, nowSeconds now: Double
  ) -> [WorkloadOverview.Finding] {
    var all: [WorkloadOverview.Finding] = []
    if memory.maxBytes == 0 { all.append(.init(.warning, "\(name) has no maxmemory")) }
    if let ratio = memory.usedRatio, let limit = objectives.memoryUsedRatio, ratio > limit {
      let used = amount((ratio * 100).rounded(), "%", upTo: 1000)
      let text = "\(name) uses \(used) of maxmemory, wanted are \(Int(clamping: (limit * 100).rounded())) %"
      all.append(.init(objectives.memoryPages ? .warning : .note, text))
    }
    if let policy = memory.policy, !config.eviction.fits(policy) {
      all.append(.init(.warning, "\(name) has maxmemory-policy \(policy), which does not fit the workload"))
    }
    if let bytes = fork?.expectedBytes, bytes < 0 {
      let missing = amount(Double(-bytes) / 1_048_576, "MiB", upTo: 1 << 30)
      let text = "A save of \(name) may need \(missing) more memory than the machine has"
      all.append(.init(.warning, text))
    }
    guard replication?.isMaster == true else { return all }
    if config.persistence.fits(persistence) == false {
      all.append(.init(.warning, "\(name) does not persist as the workload asks"))
    }
    if let rpo = objectives.rpo?.seconds {
      let point = RecoveryPoint(crashOf: persistence, isFsyncDelayed: isFsyncDelayed, nowSeconds: now)
      if point.seconds > rpo {
        let loss =
          point.seconds.isFinite ? "\(amount(seconds: point.seconds.rounded(.up))) of writes" : "writes without bound"
        all.append(.init(.warning, "A crash of \(name) would lose \(loss) (\(point.basis.rawValue))"))
      }
    }
    return all
  }
}
