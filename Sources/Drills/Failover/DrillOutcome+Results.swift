import Fleet
import Runtime

extension DrillOutcome {
  /// What each part of the drill comes to, the most important first.
  public var results: [CheckResult] {
    [course, outage, lostWrites, estimate, fault, oldMasterResult, cleaned].compactMap { $0 }
  }

  private func result(
    _ check: String, _ answer: CheckResult.Answer, _ severity: Finding.Severity? = nil, _ text: String
  ) -> CheckResult {
    CheckResult(
      check: "drill-\(check)", group: .posture, workload: workload, answer: answer,
      severity: answer == .finding ? severity : nil, text: answer == .unknown ? "" : text,
      reason: answer == .unknown ? text : nil)
  }

  /// Whether anything was broken.
  public var hasFault: Bool { faultWall != nil }

  private var course: CheckResult {
    switch end {
    case .stable:
      result("course", .ok, nil, "all went well again for \(Self.words(settings.stableSeconds))")
    case .interrupted: result("course", .unknown, nil, "it was interrupted")
    case .notBegun(let why): result("course", .unknown, nil, "nothing was broken: \(why)")
    case .failed(let why): result("course", .finding, .critical, "it was given up: \(why)")
    }
  }

  private var outage: CheckResult? {
    guard hasFault else { return nil }
    let limit = Self.words(settings.maxUnavailableSeconds)
    guard let outage = times.outage else {
      return result("outage", .finding, .critical, "nothing was acknowledged after the fault; allowed are \(limit)")
    }
    let text = "for \(Self.words(outage)) no write was acknowledged; allowed are \(limit)"
    return outage > settings.maxUnavailableSeconds
      ? result("outage", .finding, .critical, text) : result("outage", .ok, nil, text)
  }

  private var lostWrites: CheckResult? {
    guard hasFault else { return nil }
    guard writes.isReadBack else {
      return result("lost-writes", .unknown, nil, "what was lost: the canaries could not be read back")
    }
    let text = "\(lostCount) of \(writes.ackCount) acknowledged writes are lost; allowed are \(settings.maxLost)"
    guard lostCount > settings.maxLost else { return result("lost-writes", .ok, nil, text) }
    if writes.isTooLate {
      return result("lost-writes", .unknown, nil, "\(text); but keys may have expired before they were read")
    }
    if writes.evictedCount > 0 {
      return result("lost-writes", .unknown, nil, "\(text); but \(writes.evictedCount) keys were evicted meanwhile")
    }
    return result("lost-writes", .finding, .critical, text)
  }

  /// The ledger beside what the offsets of the servers say, which count every client's writes.
  private var estimate: CheckResult? {
    guard hasFault, times.switched != nil, writes.isReadBack else { return nil }
    guard let cost, let loss = cost.cost.lostWrites else {
      let bytes = cost?.cost.lostBytes == nil ? "" : " in writes"
      return result(
        "estimate", .unknown, nil, "what was lost of all clients' writes\(bytes), by the offsets of the servers")
    }
    let whose = cost.isOfDaemon ? "the daemon" : "the drill itself"
    let text = "by offsets, as \(whose) counts, \(cost.cost.lostWords); the canaries lost \(lostCount)"
    if let most = loss.most, Double(lostCount) > Double(most) * Self.estimateRoom + Self.estimateSlack {
      return result("estimate", .finding, .warning, "\(text): the two do not agree")
    }
    if lostCount == 0, Double(loss.least) > Double(settings.maxLost) + Self.estimateSlack {
      return result("estimate", .finding, .warning, "\(text): other clients did lose writes")
    }
    return result("estimate", .ok, nil, text)
  }

  /// An estimate by the bytes of an average write is as exact as that.
  private static let (estimateRoom, estimateSlack) = (1.1, 20.0)

  private var fault: CheckResult? {
    guard hasFault, settings.fault == .kill, !oldMaster.isGone else { return nil }
    return result("fault", .finding, .warning, "the command of --exec did not end \(oldMaster.name): it still runs")
  }

  private var oldMasterResult: CheckResult? {
    guard hasFault, times.switched != nil else { return nil }
    switch oldMaster.isBack {
    case true?: return result("old-master", .ok, nil, "\(oldMaster.name) is a replica by now")
    case false?: return result("old-master", .finding, .warning, "\(oldMaster.name) still calls itself master")
    case nil where settings.fault == .kill || settings.fault == .exec:
      return result("old-master", .finding, .info, "\(oldMaster.name) does not answer: start it again")
    case nil: return result("old-master", .finding, .warning, "\(oldMaster.name) does not answer")
    }
  }

  private var cleaned: CheckResult? {
    guard writes.unremovedCount > 0 else { return nil }
    return result(
      "cleaned", .finding, .info,
      "\(writes.unremovedCount) keys redline:canary:\(run):* could not be removed; they expire within \(settings.keySeconds) s"
    )
  }

  /// What is left for the daemon.
  public var report: CheckReport {
    CheckReport(
      check: "drill", workload: workload, startedAt: started, endedAt: ended, numbers: numbers, results: results,
      failingFrom: .warning, remarks: notes)
  }

  /// What is to be known beside the results.
  var notes: [String] {
    var notes = writes.losses.map { loss in
      "\(loss.master.address) (run_id \(loss.master.runID)) acknowledged \(loss.count) writes that are lost, from \(Self.signed(loss.firstSeconds)) to \(Self.signed(loss.lastSeconds)) s"
    }
    let met = errors.counts.sorted { ($1.value, $0.key.kind, $0.key.node) < ($0.value, $1.key.kind, $1.key.node) }
    notes += met.map { key, count in
      "canaries met \(key.kind)\(key.node.isEmpty ? "" : " at \(key.node)") \(count) \(count == 1 ? "time" : "times")"
    }
    notes += readOnly.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { node, count in
      "\(node) answered READONLY \(count) \(count == 1 ? "time" : "times") to all clients, \(errors.count("READONLY", at: node)) to canaries"
    }
    if isLocal {
      notes.append(
        "all servers are on this machine: a master that is killed loses less here than over a network, since what it wrote into a socket still arrives"
      )
    }
    if writes.diskSeconds > 0 {
      notes.append(
        "an acknowledged write counts once it is on disk; had the drill been killed, its ledger would have missed up to \(Self.words(writes.diskSeconds + 0.02))"
      )
    }
    return notes
  }

  static func words(_ seconds: Double) -> String {
    let rounded = (seconds * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(clamping: rounded)) s" : "\(rounded) s"
  }

  static func signed(_ seconds: Double) -> String {
    let rounded = (seconds * 100).rounded() / 100
    return rounded < 0 ? "\(rounded)" : "+\(rounded)"
  }
}
