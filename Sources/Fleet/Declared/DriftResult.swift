import Config
import Runtime

/// One setting of one server, as the command and the API give it.
public struct DriftResult: Sendable, Equatable {
  public let workload: String
  public let instance: String
  public let setting: DeclaredDrift.Setting

  public init(workload: String, instance: String, setting: DeclaredDrift.Setting) {
    (self.workload, self.instance, self.setting) = (workload, instance, setting)
  }

  /// The same as the answer of a check.
  public var checked: CheckResult {
    func result(
      _ answer: CheckResult.Answer, _ text: String = "", severity: Finding.Severity? = nil, reason: String? = nil
    ) -> CheckResult {
      CheckResult(
        check: AuditCheckID.declaredDrift.rawValue, group: .posture, workload: workload, instance: instance,
        answer: answer, severity: severity, text: text, reason: reason)
    }
    switch setting.verdict {
    case .same: return result(.ok)
    case .differs:
      let running = setting.running.map { "runs with \($0.isEmpty ? "none" : $0)" } ?? "the server has none"
      return result(
        .finding, "\(setting.name): \(setting.declared ?? "") in \(setting.place.name), \(running)", severity: .warning)
    case .unknown(let reason): return result(.unknown, reason: reason)
    case .exempt(let reason): return result(.notCompared, reason)
    }
  }

  /// One object of `results`: that of a check, with the setting.
  public func write(to json: inout JSONWriter) {
    let checked = checked
    json.object { json in
      checked.writeFields(to: &json)
      json.field("setting", setting.name)
      json.field("file", setting.place.file)
      json.field("line", setting.place.line)
      if let declared = setting.declared { json.field("declared", declared) }
      if let running = setting.running { json.field("running", running) }
    }
  }

  /// Reads what ``write(to:)`` has written; nil for anything else.
  public init?(_ json: JSONValue) {
    guard let checked = CheckResult(json), let instance = checked.instance, let name = json["setting"]?.string,
      let file = json["file"]?.string, let line = json["line"]?.number, line >= 0
    else { return nil }
    let verdict: DeclaredDrift.Verdict
    switch checked.answer {
    case .ok: verdict = .same
    case .finding: verdict = .differs
    case .unknown: verdict = .unknown(checked.reason ?? "")
    case .notCompared: verdict = .exempt(checked.text)
    case .accepted: return nil
    }
    self.init(
      workload: checked.workload, instance: instance,
      setting: DeclaredDrift.Setting(
        name, declared: json["declared"]?.string, ConfPlace(file: file, line: Int(clamping: line)),
        running: json["running"]?.string, verdict))
  }
}

extension ServerDrift {
  public var results: [DriftResult] {
    drift.settings.map { DriftResult(workload: workload, instance: instance, setting: $0) }
  }
}
