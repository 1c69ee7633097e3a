import Logging
import Runtime

/// Since when each finding holds, and the state that all of them come to. Pure.
struct FindingTracker: Sendable {
  private struct Key: Hashable {
    let check: String
    let subject: Finding.Subject
  }
  private var since: [Key: WallTime] = [:]
  private var health: (state: Health, since: WallTime)?
  /// Until when they last came to each state that they do not come to now.
  private(set) var healthUntil: [Health: WallTime] = [:]

  /// Takes note of what is found now; what is not found any more is forgotten.
  /// - Returns: what was not found before.
  @discardableResult
  mutating func note(_ verdict: Verdict, at wall: WallTime) -> [Finding] {
    let before = since
    since = [:]
    note(verdict.health, at: wall)
    for finding in verdict.findings {
      let key = Key(check: finding.check, subject: finding.subject)
      since[key] = min(since[key] ?? wall, before[key] ?? wall)
    }
    return verdict.findings.filter { before[Key(check: $0.check, subject: $0.subject)] == nil }
  }

  mutating func note(_ state: Health, at wall: WallTime) {
    guard health?.state != state else { return }
    if let health { healthUntil[health.state] = wall }
    healthUntil[state] = nil
    health = (state, wall)
  }

  /// Since when a workload is in that state by its checks.
  func since(_ state: Health, at wall: WallTime) -> WallTime {
    health.flatMap { $0.state == state ? $0.since : nil } ?? wall
  }

  /// The same findings with the time since when they hold, the worst first.
  func dated(_ findings: [Finding], at wall: WallTime) -> [Finding] {
    findings.worstFirst.map { finding in
      var finding = finding
      finding.since = since[Key(check: finding.check, subject: finding.subject)] ?? wall
      return finding
    }
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
