import Fleet
import Runtime

/// Results of checks as they are printed.
struct ReportText {
  let title: String
  let results: [CheckResult]

  func text(_ format: ReportOptions.Format) -> String {
    switch format {
    case .text: plain
    case .markdown: markdown
    case .json: json
    }
  }

  private var told: [CheckResult] { results.filter { $0.answer != .ok } }

  private var summary: String {
    let findings = Finding.Severity.allCases.reversed().map { severity in
      "\(results.count { $0.severity == severity }) \(severity.name)"
    }
    let unknown = results.count { $0.answer == .unknown }
    return "\(results.count) results: \(findings.joined(separator: ", ")), \(unknown) unknown"
  }

  private func words(_ result: CheckResult) -> String {
    result.reason.map { "cannot be judged: \($0)" } ?? result.text
  }

  private func level(_ result: CheckResult) -> String { result.severity?.name ?? result.answer.rawValue }

  private var plain: String {
    var lines: [String] = []
    for (workload, results) in groups {
      lines.append(workload)
      lines += results.map { result in
        let level = level(result)
        let gap = String(repeating: " ", count: max(1, 9 - level.count))
        return "  \(level)\(gap)\(words(result)) [\(result.check)]"
      }
    }
    return (lines + [summary]).joined(separator: "\n") + "\n"
  }

  private var markdown: String {
    var lines = ["# \(title)", ""]
    for (workload, results) in groups {
      lines += ["## \(workload)", "", "| severity | check | server | what |", "|---|---|---|---|"]
      lines += results.map { result in
        let cells = [level(result), result.check, result.instance ?? "", words(result)]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
      }
      lines.append("")
    }
    return (lines + [summary]).joined(separator: "\n") + "\n"
  }

  /// By workload, in their order; only what is told.
  private var groups: [(workload: String, results: [CheckResult])] {
    var names: [String] = []
    for result in told where !names.contains(result.workload) { names.append(result.workload) }
    return names.map { name in (name, told.filter { $0.workload == name }) }
  }

  private var json: String {
    let rows = results.map { result in
      var pairs = [("check", jsonString(result.check)), ("workload", jsonString(result.workload))]
      pairs.append(("instance", result.instance.map { jsonString($0) } ?? "null"))
      pairs.append(("verdict", jsonString(result.answer.rawValue)))
      if let severity = result.severity { pairs.append(("severity", jsonString(severity.name))) }
      pairs.append(("text", jsonString(result.reason ?? result.text)))
      if let reason = result.reason { pairs.append(("right", jsonString(reason))) }
      return "{" + pairs.map { "\(jsonString($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }
    return "{\"results\":[\n\(rows.joined(separator: ",\n"))\n]}\n"
  }
}
