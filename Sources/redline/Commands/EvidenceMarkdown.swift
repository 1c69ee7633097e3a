import Config
import Fleet
import Runtime

/// Evidence as Markdown, for a terminal or a document.
struct EvidenceMarkdown {
  let text: String

  init(_ evidence: Evidence) {
    var lines = ["# Evidence: \(evidence.alert) of \(evidence.workload)", "", "## What stands out", ""]
    if evidence.culprits.isEmpty {
      lines.append("Nothing: no command, client or server is out of the ordinary in what was gathered.")
    }
    lines += evidence.culprits.enumerated().map { "\($0.offset + 1). \($0.element.text) (\($0.element.restsOn))" }
    for look in evidence.looks {
      lines += ["", "## \(Timestamp(WallTime(epochMs: look.atMs)))"]
      for section in look.sections { lines += Self.lines(section, level: "###") }
      for node in look.nodes {
        lines += ["", "### \(node.instance), \(node.role)"]
        if let silence = node.silence { lines += ["", "It did not answer: \(silence)"] }
        for section in node.sections { lines += Self.lines(section, level: "####") }
      }
    }
    text = lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ section: Evidence.Section, level: String) -> [String] {
    var lines = ["", "\(level) \(section.title)", ""]
    lines += section.lines.map { "- \($0)" }
    guard let table = section.table, !table.rows.isEmpty else { return lines }
    func row(_ cells: [String]) -> String {
      "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
    }
    lines += ["", row(table.columns), "|\(String(repeating: "---|", count: table.columns.count))"]
    lines += table.rows.map(row)
    if table.omittedCount > 0 { lines += ["", "\(table.omittedCount) further rows are left out."] }
    return lines
  }
}
