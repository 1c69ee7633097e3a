import Fleet
import Runtime

/// A look at readiness as it is printed: the calendar of a peak, filled in as far as there is evidence.
public struct ReadinessText {
  private let workload: String
  private let factor: Double
  private let lines: [ReadinessLine]

  public init(workload: String, factor: Double, _ lines: [ReadinessLine]) {
    (self.workload, self.factor, self.lines) = (workload, factor, lines)
  }

  private var summary: String {
    func count(_ answer: CheckResult.Answer) -> Int { lines.count { $0.answer == answer } }
    let word = count(.finding) > 0 ? "not ready" : count(.unknown) > 0 ? "not known to be ready" : "ready"
    let times = factor == factor.rounded() ? "\(Int(clamping: factor))" : "\(factor)"
    return
      "\(workload) is \(word) for \(times) times its load: \(count(.ok)) ok, \(count(.finding)) not, \(count(.unknown)) unknown"
  }

  private func groups() -> [(title: String, lines: [ReadinessLine])] {
    ReadinessLine.Stage.allCases.map { stage in
      (stage.rawValue.prefix(1).uppercased() + stage.rawValue.dropFirst(), lines.filter { $0.subject.stage == stage })
    }.filter { !$0.lines.isEmpty }
  }

  public var plain: String {
    var text: [String] = []
    for group in groups() {
      text.append(group.title)
      text += group.lines.map { line in
        let mark =
          switch line.answer {
          case .ok, .accepted: "[x]"
          case .finding: "[!]"
          case .unknown, .notCompared: "[?]"
          }
        return "  \(mark) \(line.subject.title): \(line.text) [\(line.subject.rawValue)]"
      }
    }
    return (text + [summary]).joined(separator: "\n") + "\n"
  }

  /// A checklist, to be printed or pasted.
  public var markdown: String {
    var text = ["# Ready for the peak?", ""]
    for group in groups() {
      text += ["## \(group.title)", ""]
      text += group.lines.map { line in
        let word =
          switch line.answer {
          case .ok: ""
          case .finding: "**no**: "
          case .unknown, .accepted, .notCompared: "**\(line.answer.rawValue)**: "
          }
        return "- [\(line.answer == .ok ? "x" : " ")] \(line.subject.title): \(word)\(line.text)"
      }
      text.append("")
    }
    return (text + [summary]).joined(separator: "\n") + "\n"
  }

  /// `results` as every command has them, and the calendar.
  public func json(_ results: [CheckResult]) -> String {
    var json = JSONWriter()
    json.object { json in
      json.key("results")
      json.lines { json in for result in results { result.write(to: &json) } }
      json.key("calendar")
      json.array { json in
        for stage in ReadinessLine.Stage.allCases {
          json.object { json in
            json.field("when", stage.rawValue)
            json.key("checks")
            json.strings(lines.filter { $0.subject.stage == stage }.map(\.subject.rawValue))
          }
        }
      }
    }
    json.verbatim("\n")
    return json.text
  }
}
