/// Since when each finding holds, and the state that all of them come to. Pure.
struct FindingTracker: Sendable {
  private struct Key: Hashable {
    let check: String
    let subject: Finding.Subject
  }
  private var since: [Key: Double] = [:]
  private var health: (state: Health, sinceSeconds: Double)?

  /// Takes note of what is found now; what is not found any more is forgotten.
  ///
  /// - Parameter wall: seconds since the epoch.
  mutating func note(_ verdict: Verdict, atSeconds wall: Double) {
    let before = since
    since = [:]
    if health?.state != verdict.health { health = (verdict.health, wall) }
    for finding in verdict.findings {
      let key = Key(check: finding.check, subject: finding.subject)
      since[key] = min(since[key] ?? wall, before[key] ?? wall)
    }
  }

  /// Since when a workload is in that state by its checks.
  func since(_ state: Health, atSeconds wall: Double) -> Double {
    health.flatMap { $0.state == state ? $0.sinceSeconds : nil } ?? wall
  }

  /// The same findings with the time since when they hold, the worst first.
  func dated(_ findings: [Finding], atSeconds wall: Double) -> [Finding] {
    findings.worstFirst.map { finding in
      var finding = finding
      finding.sinceSeconds = since[Key(check: finding.check, subject: finding.subject)] ?? wall
      return finding
    }
  }
}
