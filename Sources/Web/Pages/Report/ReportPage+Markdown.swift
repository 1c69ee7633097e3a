import Runtime

extension ReportPage {
  /// To be pasted into a document: headings, lists and tables as GitHub's Markdown has them.
  public var markdown: String {
    let sections = sections.map { section in
      let blocks = section.blocks.compactMap(\.markdown)
      return (["## \(Self.plain(section.title))"] + blocks).joined(separator: "\n\n")
    }
    let parts = ["# \(Self.plain(title))", Self.plain(lead)] + sections + [Self.plain(foot)]
    return KnownSecrets.masked(parts.joined(separator: "\n\n"), sparesWords: true) + "\n"
  }

  /// Text that shows as it is: what servers and rules say must not become links, pictures or tags.
  static func plain(_ text: String) -> String {
    var output = ""
    for scalar in oneLine(text).unicodeScalars {
      switch scalar {
      case "\\", "<", "[", "]", "*", "|": output += "\\\(scalar)"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }
}

extension ReportPage.Block {
  /// Nil for what is only drawn.
  fileprivate var markdown: String? {
    switch self {
    case .text(let text): return ReportPage.plain(text)
    case .list(let items):
      return items.map { item in
        "- \(ReportPage.plain(item.text))\(item.note.isEmpty ? "" : " (\(ReportPage.plain(item.note)))")"
      }.joined(separator: "\n")
    case .questions(let questions):
      return questions.map { question in
        let text = ReportPage.plain(question.text)
        guard let answer = question.answer else {
          let hint = question.hint.isEmpty ? "" : " (\(ReportPage.plain(question.hint)))"
          return "- [ ] \(text): \\_\\_\\_\\_ to be filled in\(hint)"
        }
        return "- [x] \(text): \(ReportPage.plain(answer))"
      }.joined(separator: "\n")
    case .table(let table):
      func line(_ cells: [String]) -> String { "| \(cells.map(ReportPage.plain).joined(separator: " | ")) |" }
      let rule = "|\(String(repeating: "---|", count: table.heads.count))"
      return ([line(table.heads), rule] + table.rows.map { line($0.cells) }).joined(separator: "\n")
    case .timeline, .figures: return nil
    }
  }
}
