import Logging
import Runtime

/// Since when each finding holds, and the state that all of them come to. Pure.
struct FindingTracker: Sendable {
  private struct Key: Hashable {
    let check: String
    let subject: Finding.Subject
  }
  private var since: [Key: WallTime] = [:]
  private var known: HealthHistory?

  /// Takes note of what is found now; what is not found any more is forgotten.
  /// - Returns: what was not found before.
  @discardableResult
  mutating func note(_ verdict: Verdict, at wall: WallTime) -> [Finding] {
    let before = since
    since = [:]
    if known?.note(verdict.health, at: wall) == nil { known = HealthHistory(verdict.health, since: wall) }
    for finding in verdict.findings {
      let key = Key(check: finding.check, subject: finding.subject)
      since[key] = min(since[key] ?? wall, before[key] ?? wall)
    }
    return verdict.findings.filter { before[Key(check: $0.check, subject: $0.subject)] == nil }
  }

  /// The verdict that was noted last with its times.
  func judgement(_ verdict: Verdict, of state: WorkloadState) -> Judgement {
    let findings = verdict.findings.worstFirst.map { finding in
      var finding = finding
      finding.since = since[Key(check: finding.check, subject: finding.subject)] ?? state.wall
      return finding
    }
    return Judgement(
      state: state, findings: findings, unknowns: verdict.unknowns, asides: verdict.asides,
      health: known.flatMap { $0.state == verdict.health ? $0 : nil }
        ?? HealthHistory(verdict.health, since: state.wall))
  }
}

extension [Finding] {
  /// Tells those that are mistakes in the configuration.
  func blameConfiguration(in log: Logger) {
    for finding in self where CheckCatalogue.blaming.contains(finding.check) {
      log.error("what is there does not fit the configuration", metadata: ["finding": "\(finding.text)"])
    }
  }
}

/// The state that a workload is in by its checks alone, and the others that it was in. Pure.
public struct HealthHistory: Sendable, Equatable {
  public private(set) var state: Health
  public private(set) var since: WallTime
  /// Until when it last was in each other state.
  public private(set) var until: [Health: WallTime] = [:]

  public init(_ state: Health, since: WallTime) { (self.state, self.since) = (state, since) }

  public mutating func note(_ next: Health, at time: WallTime) {
    guard next != state else { return }
    until[state] = time
    until[next] = nil
    (state, since) = (next, time)
  }
}
