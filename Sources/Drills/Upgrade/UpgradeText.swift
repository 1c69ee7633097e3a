import Fleet
import Runtime

/// A check of an upgrade as it is printed: what stands in its way, then its steps.
public struct UpgradeText {
  public struct Step {
    public let title: String
    public let note: String
    /// Filled in.
    public let commands: [String]

    public init(title: String, note: String, commands: [String]) {
      (self.title, self.note, self.commands) = (title, note, commands)
    }
  }

  private let workload: String
  private let target: ServerRelease
  private let results: [CheckResult]
  private let steps: [Step]
  private let remarks: [String]

  public init(
    workload: String, target: ServerRelease, results: [CheckResult], steps: [Step], remarks: [String]
  ) {
    self.workload = workload
    self.target = target
    self.results = results
    self.steps = steps
    self.remarks = remarks
  }

  private func shown(_ text: String) -> String { KnownSecrets.masked(oneLine(text), sparesWords: true) }

  private func word(_ result: CheckResult) -> String {
    switch result.answer {
    case .finding: result.severity?.name ?? "finding"
    case .unknown: "unknown"
    default: "ok"
    }
  }

  private var summary: String {
    func count(_ answer: CheckResult.Answer) -> Int { results.count { $0.answer == answer } }
    return
      "\(workload) to \(target): \(count(.ok)) ok, \(count(.finding)) found, \(count(.unknown)) unknown. The steps are for a person; nothing was changed."
  }

  public var markdown: String {
    var text = ["# Upgrade of \(workload) to \(target)", ""]
    text += results.map { "- \(word($0)): \(shown($0.reason ?? $0.text)) [\($0.check)]" }
    text += ["", "## Steps", ""]
    for (number, step) in steps.enumerated() {
      text.append("\(number + 1). \(shown(step.title)).\(step.note.isEmpty ? "" : " \(shown(step.note))")")
      text += ["", "   ```sh"] + step.commands.map { "   \(shown($0))" } + ["   ```", ""]
    }
    text += remarks.flatMap { ["> \(shown($0))", ""] }
    return (text + [summary]).joined(separator: "\n") + "\n"
  }

  /// `results` as every command has them, and the steps.
  public var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("results")
      json.lines { json in for result in results { result.write(to: &json) } }
      json.key("steps")
      json.lines { json in
        for step in steps {
          json.object { json in
            json.field("title", shown(step.title))
            if !step.note.isEmpty { json.field("note", shown(step.note)) }
            json.key("commands")
            json.strings(step.commands.map { shown($0) })
          }
        }
      }
    }
    json.verbatim("\n")
    return json.text
  }
}
