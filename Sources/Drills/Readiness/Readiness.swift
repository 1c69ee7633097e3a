import Config
import Fleet
import Runtime

/// Whether a workload is ready for its peak: a line for each thing that must hold, and what it rests on.
public struct Readiness: Sendable {
  /// How many times the load of today the peak is.
  public let factor: Double
  private let workload: WorkloadConfig
  private let evidence: ReadinessEvidence
  private let now: WallTime

  static let failoverDays = 14.0
  static let backupDays = 31.0
  static let loadFactor = 3.0
  static let tickDays = 31.0
  static let deliveryDays = 7.0
  /// Of a list of keys, this share must be there.
  static let warmRatio = 0.95
  private static let memoryRatio = 0.8
  private static let latencySeconds = 0.005
  private static let hitRatio = 0.85

  public init(_ workload: WorkloadConfig, factor: Double, _ evidence: ReadinessEvidence, now: WallTime) {
    self.workload = workload
    self.factor = factor
    self.evidence = evidence
    self.now = now
  }

  /// In the order of the calendar. What does not apply to the workload has no line.
  public var lines: [ReadinessLine] {
    ReadinessLine.Subject.allCases.compactMap { subject in
      verdict(of: subject).map { ReadinessLine(subject, $0.answer, $0.text) }
    }
  }

  private typealias Verdict = (answer: CheckResult.Answer, text: String)

  private func verdict(of subject: ReadinessLine.Subject) -> Verdict? {
    switch subject {
    case .load: load
    case .failover: verified("drill", within: Self.failoverDays)
    case .backup: keepsData ? verified("backup", within: Self.backupDays) : nil
    case .memory:
      atFactor(
        evidence.traffic?.memoryUsedRatio, "memory_used_ratio", most: memoryLimit, shown: Self.percent,
        unknown: "no server tells how much of maxmemory it uses")
    case .latency:
      atFactor(
        evidence.traffic?.latencyP99Seconds, "p99_seconds", most: latencyLimit, shown: Self.milliseconds,
        unknown: "no server tells how long its commands took lately")
    case .headroom: headroom
    case .version: found("version-skew", well: "one version")
    case .drift: found("settings-drift", "declared-drift", well: "the same settings on all")
    case .size: size
    case .fork: keepsData ? found("fork-headroom-gone", well: "enough memory for a fork") : nil
    case .alerts: delivery
    case .jitter: jitter
    case .locks, .runbooks: ticked(subject)
    case .warmth: warmth
    case .hitRatio: hits
    case .critical: critical
    }
  }

  // MARK: What was verified

  private func newest(_ check: String) -> CheckReport? {
    evidence.reports?.filter { $0.check == check && $0.verdict != .unknown }.max { $0.endedAt < $1.endedAt }
  }

  private func verified(_ check: String, within days: Double) -> Verdict {
    guard evidence.reports != nil else { return (.unknown, evidence.blindness) }
    guard let report = newest(check) else { return (.unknown, "\(check) has never run with a verdict") }
    let age = "\(check) was \(report.verdict.rawValue) \(Self.ago(report.endedAt, now))"
    guard report.verdict == .ok else { return (.finding, "\(age)\(Self.firstFinding(of: report))") }
    let isYoung = now - report.endedAt <= days * 86_400
    return isYoung ? (.ok, age) : (.finding, "\(age); at most \(Int(clamping: days)) days are asked for")
  }

  /// A load test that held, of enough load, with these members, and with a failover in the same run.
  private var load: Verdict {
    guard evidence.reports != nil else { return (.unknown, evidence.blindness) }
    guard let report = newest("load") else { return (.unknown, "load has never run with a verdict") }
    let when = "load was \(report.verdict.rawValue) \(Self.ago(report.endedAt, now))"
    guard report.verdict == .ok else { return (.finding, "\(when)\(Self.firstFinding(of: report))") }
    guard let reached = report.numbers["factor"] else {
      return (.unknown, "\(when), and does not say which factor it reached")
    }
    let what = "\(when) at \(Self.number(reached)) times the load"
    guard reached >= min(Self.loadFactor, factor) else {
      return (.finding, "\(what); \(Self.number(min(Self.loadFactor, factor))) times are asked for")
    }
    if let changed = evidence.topologyChanged, changed > report.endedAt {
      return (.finding, "\(what), but its members changed \(Self.ago(changed, now))")
    }
    let failover = evidence.reports?.first {
      $0.check == "drill" && $0.verdict != .unknown && $0.startedAt >= report.startedAt && $0.endedAt <= report.endedAt
    }
    guard failover != nil else { return (.finding, "\(what), without a failover in the same run") }
    return (.ok, "\(what), with a failover in the same run")
  }

  /// What holds now, and held when that many times the load were tried.
  private func atFactor(
    _ value: Double?, _ name: String, most: Double, shown: (Double) -> String, unknown: String
  ) -> Verdict {
    let limit = "at most \(shown(most)) \(name == "p99_seconds" ? "are" : "is") asked for"
    if let value, value > most { return (.finding, "\(shown(value)) now; \(limit)") }
    let tested = evidence.reports?.filter {
      $0.check == "load" && $0.verdict != .unknown && $0.numbers["factor"] ?? 0 >= factor
    }.max { $0.endedAt < $1.endedAt }
    if let tested, let reached = tested.numbers[name], reached > most {
      return (
        .finding,
        "\(shown(reached)) at \(Self.number(factor)) times the load, \(Self.ago(tested.endedAt, now)); \(limit)"
      )
    }
    guard evidence.traffic != nil, evidence.reports != nil else { return (.unknown, evidence.blindness) }
    guard let value else { return (.unknown, unknown) }
    guard let reached = tested?.numbers[name] else {
      return (.unknown, "\(shown(value)) now; no load test at \(Self.number(factor)) times says what it is then")
    }
    return (.ok, "\(shown(value)) now, \(shown(reached)) at \(Self.number(factor)) times the load; \(limit)")
  }

  // MARK: What the servers say

  private func found(_ checks: String..., well: String) -> Verdict {
    guard let all = evidence.results else { return (.unknown, evidence.blindness) }
    let results = all.filter { checks.contains($0.check) }
    if let finding = results.first(where: { $0.answer == .finding }) { return (.finding, finding.text) }
    if let blind = results.first(where: { $0.answer == .unknown }) {
      return (.unknown, blind.reason ?? "it cannot be judged")
    }
    return results.isEmpty ? (.unknown, "nothing judges it here") : (.ok, well)
  }

  private var critical: Verdict {
    guard let all = evidence.results else { return (.unknown, evidence.blindness) }
    let found = all.filter { $0.severity == .critical }
    if let first = found.first {
      let more = found.count > 1 ? ", and \(found.count - 1) more" : ""
      return (.finding, "\(first.text) [\(first.check)]\(more)")
    }
    return all.isEmpty ? (.unknown, "nothing is judged") : (.ok, "no finding is critical, of \(all.count) results")
  }

  private var size: Verdict {
    let expected = workload.peak?.expected ?? workload.expected
    guard let members = evidence.members else { return (.unknown, evidence.blindness) }
    let counts = [
      ("masters", members.masters, expected.masters), ("replicas", members.replicas, expected.replicas),
      ("Sentinels", members.sentinels, expected.sentinels),
    ].compactMap { name, count, wanted in wanted.map { (name, count, $0) } }
    guard !counts.isEmpty else { return (.unknown, "nobody says how many: set peak.expected") }
    let told = counts.map { "\($0.1) of \($0.2) \($0.0)" }.joined(separator: ", ")
    return (counts.allSatisfy { $0.1 >= $0.2 } ? .ok : .finding, told)
  }

  /// How many times the load there is room for, if everything grew with the load.
  private var headroom: Verdict {
    guard let traffic = evidence.traffic else { return (.unknown, evidence.blindness) }
    let parts = [
      ("the event loop", traffic.eventLoopBusyRatio), ("clients", traffic.clientsUsedRatio),
      ("memory", traffic.memoryUsedRatio),
    ].compactMap { name, ratio in ratio.flatMap { $0 > 0 ? (name: name, times: 1 / $0) : nil } }
    guard let least = parts.min(by: { $0.times < $1.times }), parts.contains(where: { $0.name != "memory" }) else {
      return (.unknown, "neither the event loop nor clients are told")
    }
    let text =
      "an estimate: \(Self.number(least.times)) times, bounded by \(least.name); \(Self.number(factor)) are asked for"
    return (least.times >= factor ? .ok : .finding, text)
  }

  private var hits: Verdict? {
    guard let limit = hitLimit else { return nil }
    guard let traffic = evidence.traffic else { return (.unknown, evidence.blindness) }
    guard let ratio = traffic.hitRatio else {
      return (.unknown, "too few lookups in the last 15 minutes, or too short a time")
    }
    return (
      ratio >= limit ? .ok : .finding,
      "\(Self.percent(ratio)) of lookups; at least \(Self.percent(limit)) are asked for"
    )
  }

  private var delivery: Verdict {
    guard let deliveries = evidence.deliveries else { return (.unknown, evidence.blindness) }
    guard !deliveries.isEmpty else { return (.finding, "no Alertmanager is configured: alerts reach nobody") }
    for one in deliveries {
      if let problem = one.problem { return (.finding, "\(one.alertmanager): \(problem)") }
      guard let accepted = one.lastAccepted else { return (.finding, "\(one.alertmanager) has accepted no alert yet") }
      guard now - accepted <= Self.deliveryDays * 86_400 else {
        return (.finding, "\(one.alertmanager) accepted its last alert \(Self.ago(accepted, now))")
      }
    }
    let last = deliveries.compactMap(\.lastAccepted).min() ?? now
    return (.ok, "every Alertmanager accepted an alert, at the latest \(Self.ago(last, now))")
  }

  private var warmth: Verdict? {
    guard let presence = evidence.presence else {
      return workload.kind == .cache ? (.unknown, "no list of keys: give --warm-keys") : nil
    }
    let asked = presence.presentCount + presence.absentCount
    if let problem = presence.problem, presence.unknownCount > 0 {
      return (.unknown, "\(presence.unknownCount) keys could not be asked about: \(problem)")
    }
    guard asked > 0 else { return (.unknown, "the list of keys is empty") }
    let ratio = Double(presence.presentCount) / Double(asked)
    let text = "\(presence.presentCount) of \(asked) listed keys are there"
    return ratio >= Self.warmRatio
      ? (.ok, text) : (.finding, "\(text); at least \(Self.percent(Self.warmRatio)) are asked for")
  }

  // MARK: What only people know

  /// By the sample of the keys; where there is none, somebody has to look.
  private var jitter: Verdict {
    guard let ratio = evidence.ttlCrowdingRatio else { return ticked(.jitter) }
    let text = "\(Self.percent(ratio)) of the keys that expire do so in the fullest second"
    return ratio <= KeyspaceEstimate.crowdingLimit
      ? (.ok, text)
      : (
        .finding,
        "\(text); at most \(Self.percent(KeyspaceEstimate.crowdingLimit)) are asked for: spread TTLs by a tenth"
      )
  }

  private func ticked(_ subject: ReadinessLine.Subject) -> Verdict {
    guard let tick = evidence.ticks.ticks[subject] else {
      return (.unknown, "nobody has looked: add a line `\(subject.rawValue) DATE WHO` to the file of --ticks")
    }
    let text = "ticked by hand \(Self.ago(tick.at, now)): \(tick.note)"
    let age = now - tick.at
    if age < -86_400 { return (.finding, "\(text): that is yet to come") }
    return age <= Self.tickDays * 86_400
      ? (.ok, text) : (.finding, "\(text); look again, it is older than \(Int(clamping: Self.tickDays)) days")
  }

  // MARK: Limits

  /// Whether a restore or a new replica would matter: what a cache loses, its database has.
  private var keepsData: Bool {
    workload.persistence.isRDBOn != false || (workload.persistence.aof ?? .everysec) != .off
      || workload.objectives.verified.backup != nil
  }

  private var objectives: Objectives { workload.peak?.objectives ?? workload.objectives }
  private var memoryLimit: Double { min(objectives.memoryUsedRatio ?? Self.memoryRatio, Self.memoryRatio) }
  private var latencyLimit: Double {
    min(objectives.latencyP99.map { $0 / .seconds(1) } ?? Self.latencySeconds, Self.latencySeconds)
  }
  private var hitLimit: Double? { objectives.hitRatio.map { max($0, Self.hitRatio) } }

  // MARK: Words

  private static func firstFinding(of report: CheckReport) -> String {
    report.lines.first { $0.verdict == .finding }.map { ": \($0.text)" } ?? ""
  }

  private static func ago(_ time: WallTime, _ now: WallTime) -> String {
    let seconds = max(0, now - time)
    return seconds >= 172_800
      ? "\(Int(clamping: seconds / 86_400)) days ago"
      : seconds >= 7200 ? "\(Int(clamping: seconds / 3600)) hours ago" : "\(Int(clamping: seconds / 60)) minutes ago"
  }

  private static func percent(_ ratio: Double) -> String { "\(number((ratio * 1000).rounded() / 10))%" }
  private static func milliseconds(_ seconds: Double) -> String { "\(number((seconds * 100_000).rounded() / 100)) ms" }
  private static func number(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(clamping: rounded))" : "\(rounded)"
  }
}

extension Readiness {
  /// The answers as every command gives them.
  public func results(_ lines: [ReadinessLine]) -> [CheckResult] { lines.map { $0.result(of: workload.name) } }

  /// What is left of the look.
  public func report(_ lines: [ReadinessLine], startedAt: WallTime) -> CheckReport {
    func count(_ answer: CheckResult.Answer) -> Double { Double(lines.count { $0.answer == answer }) }
    let verdict: CheckResult.Answer =
      count(.finding) > 0 ? .finding : count(.unknown) > 0 || lines.isEmpty ? .unknown : .ok
    let order: [CheckResult.Answer] = [.finding, .unknown, .ok]
    return CheckReport(
      check: "ready", workload: workload.name, startedAt: startedAt, endedAt: now, verdict: verdict,
      numbers: [
        "factor": factor, "ok_lines": count(.ok), "finding_lines": count(.finding), "unknown_lines": count(.unknown),
      ],
      lines: order.flatMap { answer in
        lines.filter { $0.answer == answer }.map { .init(answer, "\($0.subject.title): \($0.text)") }
      })
  }
}
