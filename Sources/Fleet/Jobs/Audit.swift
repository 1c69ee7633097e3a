import Runtime

/// Looks over the security of every server whose look is due. What it brings is judged by the checks of the audit.
///
/// Whether anybody's is due is looked at every few seconds by the fleet, which then asks for a run.
struct Audit: Job {
  let name = "audit"
  let schedule = JobSchedule.onDemand
  let limit: Duration = .seconds(600)

  func run(_ context: JobContext) async throws -> [JobReport] {
    guard let fleet = context.fleet else { return [] }
    let looks = await fleet.audit()
    // So many workloads have a report of their own; more share one.
    guard looks.count > JobRunner.reportLimit else { return looks.map(\.report) }
    let total = looks.reduce(into: AuditedWorkload(name: "")) { $0.add($1) }
    return [JobReport(numbers: total.numbers, lines: ["\(looks.count) workloads were looked over"])]
  }
}

/// What came of looks over the servers of a workload.
public struct AuditedWorkload: Sendable {
  public let name: String
  /// Servers that were looked over, and those that did not let themselves be.
  public internal(set) var lookedOver = 0
  public internal(set) var failed = 0
  /// Findings that are new since the first look, by severity.
  public internal(set) var new: [Finding.Severity: Int] = [:]

  mutating func add(_ other: AuditedWorkload) {
    lookedOver += other.lookedOver
    failed += other.failed
    new.merge(other.new, uniquingKeysWith: +)
  }

  var numbers: [String: Double] {
    var numbers = ["servers": Double(lookedOver), "servers_failed": Double(failed)]
    for severity in Finding.Severity.allCases { numbers["new_\(severity.name)"] = Double(new[severity] ?? 0) }
    return numbers
  }

  var report: JobReport { JobReport(workload: name, numbers: numbers) }
}
