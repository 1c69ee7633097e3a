import Config
import Runtime

/// The answer of one check about one subject, as commands and the API give it.
public struct CheckResult: Sendable, Equatable {
  /// Raw values are those of the JSON.
  public enum Answer: String, Sendable, CaseIterable {
    case ok, finding, unknown
    /// A finding that the configuration accepts.
    case accepted
    /// Nothing to compare with yet: it decides nothing.
    case notCompared = "not compared"

    /// Whether it is said beside the three answers that decide.
    public var isAside: Bool { self == .accepted || self == .notCompared }
  }

  public let check: String
  public let group: CheckGroup
  public let workload: String
  /// nil for the workload as a whole.
  public let instance: String?
  public let answer: Answer
  /// Present with a finding alone.
  public let severity: Finding.Severity?
  /// What was found; empty where all is well. Of what is accepted, why; of what is not compared, why not.
  public let text: String
  /// What cannot be seen and why; present where the answer is unknown.
  public let reason: String?
  /// Since when a finding holds.
  public let since: WallTime?

  public init(
    check: String, group: CheckGroup, workload: String, instance: String? = nil, answer: Answer,
    severity: Finding.Severity? = nil, text: String = "", reason: String? = nil, since: WallTime? = nil
  ) {
    self.check = check
    self.group = group
    self.workload = workload
    self.instance = instance
    self.answer = answer
    self.severity = severity
    self.text = text
    self.reason = reason
    self.since = since
  }
}

extension CheckResult {
  /// One object of `results`, in commands and in the API alike; without secrets.
  public func write(to json: inout JSONWriter) { json.object { writeFields(to: &$0) } }

  /// The fields of that object.
  func writeFields(to json: inout JSONWriter) {
    func shown(_ text: String) -> String { KnownSecrets.masked(text, sparesWords: true) }
    json.field("check", check)
    json.field("group", group.rawValue)
    json.field("workload", workload)
    json.key("instance")
    if let instance { json.string(shown(instance)) } else { json.null() }
    json.field("verdict", answer.rawValue)
    if let severity { json.field("severity", severity.name) }
    json.field("text", shown(reason ?? text))
    if let reason { json.field("right", shown(reason)) }
  }

  /// Reads what ``write(to:)`` has written; nil for anything else.
  public init?(_ json: JSONValue) {
    guard let check = json["check"]?.string, let group = json["group"]?.string.flatMap(CheckGroup.init),
      let workload = json["workload"]?.string, let answer = json["verdict"]?.string.flatMap(Answer.init),
      let text = json["text"]?.string
    else { return nil }
    let severity = json["severity"]?.string.flatMap { name in Finding.Severity.allCases.first { $0.name == name } }
    guard (severity != nil) == (answer == .finding) else { return nil }
    self.init(
      check: check, group: group, workload: workload, instance: json["instance"]?.string, answer: answer,
      severity: severity, text: answer == .unknown ? "" : text, reason: answer == .unknown ? text : nil,
      since: nil)
  }
}

extension Judgement {
  /// Every check with what it applies to, in the order of the catalogue: what is found, what is unknown, and what is well.
  /// A check of what did not answer is unknown, never well.
  func results(_ checks: [any Check]) -> [CheckResult] {
    let found = Dictionary(grouping: findings, by: \.check)
    let blind = Dictionary(grouping: unknowns, by: \.check)
    return checks.filter { $0.applies(to: state) }.flatMap { check -> [CheckResult] in
      func result(
        _ answer: CheckResult.Answer, _ instance: String?, _ finding: Finding? = nil, reason: String? = nil
      ) -> CheckResult {
        CheckResult(
          check: check.id, group: check.group, workload: state.config.name, instance: instance, answer: answer,
          severity: finding?.severity, text: finding?.text ?? "", reason: reason, since: finding?.since)
      }
      var all =
        (found[check.id] ?? []).map { result(.finding, $0.subject.instance, $0) }
        + asides.filter { $0.check == check.id }.map { aside in
          CheckResult(
            check: check.id, group: check.group, workload: state.config.name, instance: aside.subject.instance,
            answer: aside.answer, text: aside.text)
        }
        + (blind[check.id] ?? []).map { result(.unknown, $0.subject.instance, reason: $0.reason) }
      let told = Set(all.map(\.instance))
      // What is found of a shard or of keys answers for the workload.
      let isAnswered = (check.scope == .workload || check.scope == .sentinels) && !all.isEmpty
      all += (isAnswered ? [] : state.subjects(of: check)).filter { !told.contains($0.instance) }.map { subject in
        result(subject.blindness == nil ? .ok : .unknown, subject.instance, reason: subject.blindness)
      }
      return all
    }
  }
}

extension WorkloadState {
  /// What a check looks at, and why it can see nothing there; nil where it can.
  fileprivate func subjects(of check: any Check) -> [(instance: String?, blindness: String?)] {
    let nobody = isAnyoneUp ? nil : "no member answers"
    switch check.scope {
    case _ where check is DeclaredDriftFound:
      let sentinels = declared?.sentinel == nil ? [] : following.sentinelServers.monitored.keys.sorted()
      return (declared?.settings == nil || !isAudited ? [] : auditSubjects) + sentinels.map { (name($0), nil) }
    case _ where check is any AuditCheck: return auditSubjects
    case .workload: return [(nil, nobody)]
    case .sentinels:
      let isBlind = config.topology == .sentinel && (following.sentinelView?.answeringCount ?? 0) == 0
      return [(nil, isBlind ? "no Sentinel answers" : nil)]
    case .members: return watched.map { ($0.instance, $0.facts == nil ? $0.blindness : nil) }
    case .all: return watched.map { ($0.instance, $0.answers == nil ? $0.blindness : nobody) }
    }
  }

  private var auditSubjects: [(instance: String?, blindness: String?)] {
    watched.map { member in
      (
        member.instance,
        member.facts == nil ? member.blindness : member.audit == nil ? "it was not looked over yet" : nil
      )
    }
  }

  /// The workload does without the others.
  var watched: [Member] { members.filter { $0.standing?.name != "ghost" } }
}

extension WorkloadState.Member {
  /// Why nothing is known of it.
  var blindness: String { answers == nil ? "no poll has ended yet" : "it does not answer: \(silence)" }
}
