import Runtime

/// A runbook for a terminal: paragraphs and lists in lines of its width, tables as lists, commands as they are, so that they can
/// be copied whole.
struct MarkdownLines {
  private let columns: Int
  private let hasColours: Bool
  private var lines: [String] = []
  /// The paragraph or entry of a list that is being read, with what stands before its first line and before the others.
  private var open: (first: String, rest: String, words: [Substring])?
  private var heads: [String] = []

  var text: String { lines.joined(separator: "\n") + "\n" }

  init(_ markdown: String, columns: Int = 80, hasColours: Bool = false) {
    self.columns = max(40, columns)
    self.hasColours = hasColours
    var isCode = false
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      let content = line.drop { $0 == " " }
      let indent = String(repeating: " ", count: line.count - content.count)
      if content.hasPrefix("```") {
        close()
        isCode.toggle()
      } else if isCode {
        // A terminal acts on what it cannot show.
        lines.append(painted("  " + oneLine(String(line)), "36"))
      } else {
        read(content, indent: indent)
      }
    }
    close()
    while lines.last?.isEmpty ?? false { lines.removeLast() }
  }

  private mutating func read(_ content: Substring, indent: String) {
    if content.isEmpty {
      close()
      heads = []
      if lines.last?.isEmpty == false { lines.append("") }
    } else if content.hasPrefix("#") {
      close()
      lines.append(painted(oneLine(String(content.drop { $0 == "#" }.drop { $0 == " " })), "1"))
    } else if content.hasPrefix("|") {
      close()
      row(content)
    } else if let entry = Self.entry(content) {
      close()
      let space = indent + String(repeating: " ", count: entry.mark.count)
      open = (indent + entry.mark, space, words(entry.rest))
    } else if content.hasPrefix("> ") {
      if open == nil { open = ("", "", []) }
      let more = words(content.dropFirst(2))
      open?.words += more
    } else {
      if open == nil { open = (indent, indent, []) }
      let more = words(content)
      open?.words += more
    }
  }

  /// `- ` or `12. ` and what follows.
  private static func entry(_ content: Substring) -> (mark: String, rest: Substring)? {
    if content.hasPrefix("- ") { return ("- ", content.dropFirst(2)) }
    let digits = content.prefix { $0.isNumber }
    let rest = content[digits.endIndex...]
    return digits.isEmpty || !rest.hasPrefix(". ") ? nil : ("\(digits). ", rest.dropFirst(2))
  }

  /// The row of a table as an entry of a list: `connect: The process is gone.`
  private mutating func row(_ content: Substring) {
    let cells = content.split(separator: "|").map { cell in
      String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard !cells.allSatisfy({ $0.allSatisfy { "-: ".contains($0) } }) else { return }
    if heads.isEmpty {
      heads = cells
    } else {
      let rest = cells.enumerated().dropFirst().map { index, cell in
        cells.count > 2 && index < heads.count ? "\(heads[index]): \(cell)" : cell
      }
      open = ("- ", "  ", words(Substring("\(cells.first ?? ""): \(rest.joined(separator: "; "))")))
      close()
    }
  }

  /// What a line is broken between: a command in backquotes stays whole.
  private func words(_ text: Substring) -> [Substring] {
    var words: [Substring] = []
    var start = text.startIndex
    var isCode = false
    for index in text.indices {
      if text[index] == "`" { isCode.toggle() }
      guard text[index] == " ", !isCode else { continue }
      if start < index { words.append(text[start..<index]) }
      start = text.index(after: index)
    }
    if start < text.endIndex { words.append(text[start...]) }
    return words
  }

  private mutating func close() {
    guard let (first, rest, words) = open else { return }
    open = nil
    var line = first
    var isEmpty = true
    for word in words {
      let word = Self.plain(oneLine(String(word)))
      if !isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        (line, isEmpty) = (rest, true)
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    if !isEmpty { lines.append(line) }
  }

  /// Without the marks of Markdown.
  private static func plain(_ word: String) -> String {
    if word.hasPrefix("`") { return word }
    if word.hasPrefix("<http"), word.hasSuffix(">") { return String(word.dropFirst().dropLast()) }
    return word.replacing("**", with: "")
  }

  private func painted(_ text: String, _ code: String) -> String {
    hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
