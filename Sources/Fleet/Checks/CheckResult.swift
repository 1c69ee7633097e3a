import Config

/// The answer of one check about one subject, as commands and the API give it.
public struct CheckResult: Sendable, Equatable {
  /// Raw values are those of the JSON.
  public enum Answer: String, Sendable, CaseIterable {
    case ok, finding, unknown
  }

  public let check: String
  public let group: CheckGroup
  public let workload: String
  /// nil for the workload as a whole.
  public let instance: String?
  public let answer: Answer
  /// Present with a finding alone.
  public let severity: Finding.Severity?
  /// What was found; empty where all is well.
  public let text: String
  /// What cannot be seen and why; present where the answer is unknown.
  public let reason: String?
  /// Since when a finding holds, in seconds since the epoch.
  public let sinceSeconds: Double?
}

extension Verdict {
  /// Every check with what it applies to, in the order of the catalogue: what is found, what is unknown, and what is well.
  ///
  /// - Parameter findings: those of this verdict, with their times.
  func results(_ checks: [any Check], of state: WorkloadState, _ findings: [Finding]) -> [CheckResult] {
    let found = Dictionary(grouping: findings, by: \.check)
    let blind = Dictionary(grouping: unknowns, by: \.check)
    return checks.flatMap { check -> [CheckResult] in
      func result(
        _ answer: CheckResult.Answer, _ instance: String?, _ finding: Finding? = nil, reason: String? = nil
      ) -> CheckResult {
        CheckResult(
          check: check.id, group: check.group, workload: state.config.name, instance: instance, answer: answer,
          severity: finding?.severity, text: finding?.text ?? "", reason: reason, sinceSeconds: finding?.sinceSeconds)
      }
      var all =
        (found[check.id] ?? []).map { result(.finding, $0.subject.instance, $0) }
        + (blind[check.id] ?? []).map { result(.unknown, $0.subject.instance, reason: $0.reason) }
      let told = Set(all.map(\.instance))
      let subjects: [String?] =
        switch check.scope {
        case .workload: all.isEmpty ? [nil] : []
        case .members: state.members.filter { $0.answers == true }.map(\.instance)
        case .all: state.members.map(\.instance)
        }
      all += subjects.filter { !told.contains($0) }.map { result(.ok, $0) }
      return all
    }
  }
}
