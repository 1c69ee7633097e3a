/// Since when each finding holds. Pure.
struct FindingTracker: Sendable {
  private struct Key: Hashable {
    let check: String
    let subject: Finding.Subject
  }
  private var since: [Key: Double] = [:]

  /// Takes note of what is found now; what is not found any more is forgotten.
  ///
  /// - Parameter wall: seconds since the epoch.
  mutating func note(_ findings: [Finding], atSeconds wall: Double) {
    let before = since
    since = [:]
    for finding in findings {
      let key = Key(check: finding.check, subject: finding.subject)
      since[key] = min(since[key] ?? wall, before[key] ?? wall)
    }
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
