import Metrics

/// What the checks say of a workload at one look.
struct Verdict {
  /// The most findings of one check that are told one by one.
  static let findingLimit = 20

  private var sink = SampleSink()
  private(set) var findings: [Finding] = []
  private(set) var unknowns: [Blindness] = []
  private var check: any Check = NoCheck()
  private var count = 0

  /// Asks each check in turn.
  init(_ checks: [any Check], of state: WorkloadState) {
    for check in checks {
      self.check = check
      count = 0
      check.judge(state, into: &self)
      guard count > Self.findingLimit else { continue }
      let text = "\(count - Self.findingLimit) more findings of \(check.id) are not listed"
      findings.append(Finding(check: check.id, group: check.group, severity: .info, subject: .workload, text: text))
    }
  }

  mutating func add(_ family: Family, _ value: Double) { sink.add(family, value) }
  mutating func add(_ family: Family, _ value: Double, _ label: LabelValue) { sink.add(family, value, label) }
  mutating func add(_ family: Family, _ value: Double, _ labels: [LabelValue]) { sink.add(family, value, labels) }

  /// 1 for the case that holds and 0 for the others: a series each.
  mutating func add<Value: RawRepresentable & CaseIterable & Equatable>(
    _ family: Family, oneOf value: Value, _ labels: [LabelValue]
  ) where Value.RawValue == String {
    for one in Value.allCases { sink.add(family, one == value ? 1 : 0, labels + [.text(one.rawValue)]) }
  }

  /// Adds samples that no check makes.
  mutating func add(_ body: (inout SampleSink) -> Void) { body(&sink) }

  func samples(constantLabels: [(name: String, value: LabelValue)]) -> Samples {
    sink.finish(constantLabels: constantLabels)
  }

  /// Something that is about the whole workload.
  mutating func find(_ severity: Finding.Severity, _ text: String) { find(severity, .workload, text) }

  mutating func find(_ severity: Finding.Severity, _ subject: Finding.Subject, _ text: String) {
    count += 1
    guard count <= Self.findingLimit else { return }
    findings.append(
      Finding(check: check.id, group: check.group, severity: severity, subject: subject, text: text))
  }

  mutating func unknown(_ reason: String) { unknown(.workload, reason) }

  /// - Parameter reason: what is missing.
  mutating func unknown(_ subject: Finding.Subject, _ reason: String) {
    unknowns.append(Blindness(check: check.id, group: check.group, subject: subject, reason: reason))
  }

  /// The state of the workload as far as checks of health tell.
  var health: Health {
    let worst = findings.lazy.filter { $0.group == .health }.map(\.severity).max()
    if worst == .critical { return .critical }
    if unknowns.contains(where: { $0.group == .health }) { return .unknown }
    return worst == .warning ? .degraded : .healthy
  }
}

/// How a workload stands. Raw values are label values: they never change.
public enum Health: String, Sendable, CaseIterable, Comparable {
  case healthy, degraded, unknown, critical

  /// From good to bad: what is not known may be worse than degraded.
  public static func < (left: Health, right: Health) -> Bool {
    let order: [Health] = [.healthy, .degraded, .unknown, .critical]
    return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
  }
}

private struct NoCheck: Check {
  let id = ""
  func judge(_ state: WorkloadState, into verdict: inout Verdict) {}
}
