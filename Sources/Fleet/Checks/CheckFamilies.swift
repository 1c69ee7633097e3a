import Metrics
import Runtime

/// The families of what the checks say.
enum CheckFamilies {
  static let state = Family.gauge(
    "workload_state",
    "State of the workload by its health checks: 1 for the current state, 0 for the others; healthy, degraded, critical or unknown.",
    labels: ["state"])
  static let findings = Family.gauge(
    "workload_findings", "Findings of the workload, by severity: info, warning or critical.", labels: ["severity"])
  static let finding = Family.gauge(
    "finding", "Severity of the check's worst finding: 1 info, 2 warning, 3 critical; absent while there is none.",
    labels: ["check", "instance"])
  static let known = Family.gauge(
    "finding_known",
    "1 while all that a check of the audit finds was there at the first look over the server, and alerts nobody; absent otherwise.",
    labels: ["check", "instance"])
  static let unknown = Family.gauge(
    "check_unknown", "1 while the check lacks the data to judge; absent otherwise.", labels: ["check", "instance"])
  static let withoutSeries = Family.gauge(
    "workload_findings_without_series",
    "Findings and unknown checks without a series of their own, because the daemon already has 1,000.")

  static let all = [state, findings, finding, known, unknown, withoutSeries]
}

/// How many series of findings all workloads of the daemon may have together.
final class FindingAllowance: Sendable {
  private let limit: Int
  private struct State {
    var taken: [String: Int] = [:]
    var total = 0
  }
  private let state = Lock(State())

  init(_ limit: Int) { self.limit = limit }

  /// - Returns: how many of the series that the workload wants it may have.
  func claim(_ wanted: Int, for workload: String) -> Int {
    state.withLock { state in
      state.total -= state.taken[workload] ?? 0
      let granted = max(0, min(wanted, limit - state.total))
      state.total += granted
      state.taken[workload] = granted
      return granted
    }
  }

  func release(_ workload: String) { state.withLock { $0.total -= $0.taken.removeValue(forKey: workload) ?? 0 } }
}

/// The 1,000 series of findings that a daemon may have: those of the audit have a part of their own.
struct FindingAllowances: Sendable {
  let health = FindingAllowance(500)
  let audit = FindingAllowance(500)

  func release(_ workload: String) {
    health.release(workload)
    audit.release(workload)
  }
}

extension Verdict {
  private struct Place: Hashable {
    let check: String
    let instance: String?

    init(_ check: String, _ subject: Finding.Subject) { (self.check, instance) = (check, subject.instance) }
  }

  /// Adds what the findings come to.
  mutating func addSummary(_ workload: String, _ allowances: FindingAllowances) {
    let (allowance, auditAllowance) = (allowances.health, allowances.audit)
    add(CheckFamilies.state, oneOf: health, [])
    for severity in Finding.Severity.allCases {
      add(CheckFamilies.findings, Double(findings.count { $0.severity == severity }), .text(severity.name))
    }
    // The worst first: where there is no room for all, they have a series, and each place has its worst.
    func isOfAudit(_ check: String) -> Bool { CheckCatalogue.auditIDs.contains(check) }
    var found: Set<Place> = []
    let worst = findings.worstFirst.filter { found.insert(Place($0.check, $0.subject)).inserted }
    let changed = Set(findings.filter { !$0.isKnown }.map { Place($0.check, $0.subject) })
    var blind: Set<Place> = []
    let unseen = unknowns.filter { blind.insert(Place($0.check, $0.subject)).inserted }
    func series(ofAudit isAudit: Bool) -> [(Family, Place, Double)] {
      let own = worst.filter { isOfAudit($0.check) == isAudit }
      return own.map { (CheckFamilies.finding, Place($0.check, $0.subject), Double($0.severity.rawValue)) }
        + own.map { Place($0.check, $0.subject) }.filter { !changed.contains($0) }.map { (CheckFamilies.known, $0, 1) }
        + unseen.filter { isOfAudit($0.check) == isAudit }.map {
          (CheckFamilies.unknown, Place($0.check, $0.subject), 1)
        }
    }
    // The audit finds something at nearly every server: it may not take the room of what is wrong now.
    let (health, audit) = (series(ofAudit: false), series(ofAudit: true))
    let granted = allowance.claim(health.count, for: workload)
    let grantedToAudit = auditAllowance.claim(audit.count, for: workload)
    for (family, place, value) in health.prefix(granted) + audit.prefix(grantedToAudit) {
      add(family, value, [.text(place.check), place.instance.map { .text($0) } ?? .absent])
    }
    let wanted = health.count + audit.count
    add(CheckFamilies.withoutSeries, Double(wanted - granted - grantedToAudit))
  }
}
