import Config
import Metrics

/// What the checks say of a workload at one look.
struct Verdict {
  /// The most findings of one check that are told one by one.
  static let findingLimit = 20

  private var sink = SampleSink()
  private(set) var findings: [Finding] = []
  private(set) var unknowns: [Blindness] = []
  private(set) var asides: [Aside] = []
  /// The check that is asked now.
  private var id = ""
  private var group = CheckGroup.health
  private var count = 0

  /// Asks each check in turn.
  init(_ checks: [any Check], of state: WorkloadState) {
    for check in checks {
      (id, group, count) = (check.id, check.group, 0)
      let start = findings.count
      check.judge(state, into: &self)
      if check is any AuditCheck { weigh(from: start, state) }
      guard count > Self.findingLimit else { continue }
      let text = "\(count - Self.findingLimit) more findings of \(id) are not listed"
      findings.append(Finding(check: id, group: group, severity: .info, subject: .workload, text: text))
    }
  }

  /// Takes in what the audit says of the same workload, but for its samples.
  mutating func add(_ audit: AuditVerdict) {
    findings += audit.findings
    unknowns += audit.unknowns
    asides += audit.asides
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
    findings.append(Finding(check: id, group: group, severity: severity, subject: subject, text: text))
  }

  /// Something that is about one server.
  ///
  /// - Parameter what: the rest of a sentence that begins with its name.
  mutating func find(_ severity: Finding.Severity, node name: String, _ what: String) {
    find(severity, .node(name), "\(name) \(what)")
  }

  /// - Parameter key: tells it from other findings of the check about the same server.
  mutating func find(_ severity: Finding.Severity, node name: String, key: String, _ what: String) {
    count += 1
    guard count <= Self.findingLimit else { return }
    var finding = Finding(check: id, group: group, severity: severity, subject: .node(name), text: "\(name) \(what)")
    finding.key = key
    findings.append(finding)
  }

  /// Says that there is nothing to compare with yet.
  mutating func notCompared(_ subject: Finding.Subject, _ reason: String) {
    asides.append(Aside(check: id, subject: subject, answer: .notCompared, text: reason))
  }

  /// Takes out what is accepted, and marks what was there from the first.
  private mutating func weigh(from start: Int, _ state: WorkloadState) {
    var rest: [Finding] = []
    for var finding in findings[start...] {
      if let accepted = state.acceptance(of: finding) {
        asides.append(
          Aside(
            check: id, subject: finding.subject, answer: .accepted,
            text: "\(finding.text); accepted until \(accepted.until): \(accepted.reason)"))
        continue
      }
      finding.isKnown = state.auditBaseline.contains(finding)
      rest.append(finding)
    }
    findings.replaceSubrange(start..., with: rest)
  }

  mutating func unknown(_ reason: String) { unknown(.workload, reason) }

  /// - Parameter reason: what is missing.
  mutating func unknown(_ subject: Finding.Subject, _ reason: String) {
    unknowns.append(Blindness(check: id, group: group, subject: subject, reason: reason))
  }

  /// The state of the workload as far as checks of health tell.
  var health: Health {
    let worst = findings.lazy.filter { $0.group == .health }.map(\.severity).max()
    if worst == .critical { return .critical }
    if unknowns.contains(where: { $0.group == .health }) { return .unknown }
    return worst == .warning ? .degraded : .healthy
  }
}

/// How a workload stands, the better first. Raw values are label values: they never change.
public enum Health: String, Sendable, CaseIterable, Comparable {
  case healthy, degraded, unknown, critical

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  public static func < (left: Health, right: Health) -> Bool { left.rank < right.rank }
}
