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
  static let unknown = Family.gauge(
    "check_unknown", "1 while the check lacks the data to judge; absent otherwise.", labels: ["check", "instance"])
  static let withoutSeries = Family.gauge(
    "workload_findings_without_series",
    "Findings and unknown checks without a series of their own, because the daemon already has 1,000.")

  static let all = [state, findings, finding, unknown, withoutSeries]
}

/// How many series of findings all workloads of the daemon may have together.
final class FindingAllowance: Sendable {
  static let limit = 1000
  private struct State {
    var taken: [String: Int] = [:]
    var total = 0
  }
  private let state = Lock(State())

  /// - Returns: how many of the series that the workload wants it may have.
  func claim(_ wanted: Int, for workload: String) -> Int {
    state.withLock { state in
      state.total -= state.taken[workload] ?? 0
      let granted = max(0, min(wanted, Self.limit - state.total))
      state.total += granted
      state.taken[workload] = granted
      return granted
    }
  }

  func release(_ workload: String) { state.withLock { $0.total -= $0.taken.removeValue(forKey: workload) ?? 0 } }
}

extension Verdict {
  private struct Place: Hashable {
    let check: String
    let instance: String?

    init(_ check: String, _ subject: Finding.Subject) { (self.check, instance) = (check, subject.instance) }
  }

  /// Adds what the findings come to.
  mutating func addSummary(_ workload: String, _ allowance: FindingAllowance) {
    add(CheckFamilies.state, oneOf: health, [])
    for severity in Finding.Severity.allCases {
      add(CheckFamilies.findings, Double(findings.count { $0.severity == severity }), .text(severity.name))
    }
    // The worst first: where there is no room for all, they have a series, and each place has its worst.
    var found: Set<Place> = []
    let worst = findings.worstFirst.filter { found.insert(Place($0.check, $0.subject)).inserted }
    var blind: Set<Place> = []
    let unseen = unknowns.filter { blind.insert(Place($0.check, $0.subject)).inserted }
    let wanted =
      worst.map { (CheckFamilies.finding, Place($0.check, $0.subject), Double($0.severity.rawValue)) }
      + unseen.map { (CheckFamilies.unknown, Place($0.check, $0.subject), 1) }
    let granted = allowance.claim(wanted.count, for: workload)
    for (family, place, value) in wanted.prefix(granted) {
      add(family, value, [.text(place.check), place.instance.map { .text($0) } ?? .absent])
    }
    add(CheckFamilies.withoutSeries, Double(wanted.count - granted))
  }
}
