import Metrics
import Runtime

/// The families of what the checks say.
enum CheckFamilies {
  static let state = Family.gauge(
    "workload_state",
    "1 for the state of the workload by its checks of health, 0 otherwise: healthy, degraded, critical or unknown.",
    labels: ["state"])
  static let findings = Family.gauge(
    "workload_findings", "Findings of the workload, by severity: info, warning or critical.", labels: ["severity"])
  static let finding = Family.gauge(
    "finding", "The worst finding of the check: 1 info, 2 warning, 3 critical; absent while there is none.",
    labels: ["check", "instance"])
  static let unknown = Family.gauge(
    "check_unknown", "1 while the check cannot see what it judges; absent otherwise.", labels: ["check", "instance"])
  static let withoutSeries = Family.gauge(
    "workload_findings_without_series",
    "Findings and unknown checks that have no series of their own, because the daemon has 1,000 of them already.")

  static let all = [state, findings, finding, unknown, withoutSeries]
}

/// How many series of findings all workloads of the daemon may have together.
final class FindingAllowance: Sendable {
  static let limit = 1000
  private let taken = Lock([String: Int]())

  /// - Returns: how many of the series that the workload wants it may have.
  func claim(_ wanted: Int, for workload: String) -> Int {
    taken.withLock { taken in
      let others = taken.reduce(0) { $0 + ($1.key == workload ? 0 : $1.value) }
      let granted = max(0, min(wanted, Self.limit - others))
      taken[workload] = granted
      return granted
    }
  }

  func release(_ workload: String) { taken.withLock { $0[workload] = nil } }
}

extension Verdict {
  private struct Place: Hashable {
    let check: String
    let instance: String?
  }

  /// Adds what the findings come to.
  mutating func addSummary(_ workload: String, _ allowance: FindingAllowance) {
    add(CheckFamilies.state, oneOf: health, [])
    for severity in Finding.Severity.allCases {
      add(CheckFamilies.findings, Double(findings.count { $0.severity == severity }), .text(severity.name))
    }
    var levels: [(place: Place, level: Int)] = []
    for finding in findings {
      let place = Place(check: finding.check, instance: finding.subject.instance)
      if let index = levels.firstIndex(where: { $0.place == place }) {
        levels[index].level = max(levels[index].level, finding.severity.rawValue)
      } else {
        levels.append((place, finding.severity.rawValue))
      }
    }
    // The worst first: where there is no room for all, they have a series.
    let ranked = levels.sorted { $0.level > $1.level }.map { (CheckFamilies.finding, $0.place, Double($0.level)) }
    let blind = unknowns.map { Place(check: $0.check, instance: $0.subject.instance) }
    let wanted = ranked + Set(blind).map { (CheckFamilies.unknown, $0, 1) }
    let granted = allowance.claim(wanted.count, for: workload)
    for (family, place, value) in wanted.prefix(granted) {
      add(family, value, [.text(place.check), place.instance.map { .text($0) } ?? .absent])
    }
    add(CheckFamilies.withoutSeries, Double(wanted.count - granted))
  }
}
