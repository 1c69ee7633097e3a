import Runtime

/// The section "Write down" of a runbook, taken apart into what it asks and what it only advises. Pure.
struct WriteDownText: Sendable, Equatable {
  private(set) var questions: [String] = []
  private(set) var advice: [String] = []

  /// - Parameter runbook: the whole, as Markdown.
  init(runbook: String) {
    let lines = runbook.split(separator: "\n", omittingEmptySubsequences: false)
    guard let head = lines.firstIndex(where: { $0.hasPrefix("## ") && $0.dropFirst(3).lowercased() == "write down" })
    else { return }
    let own = lines[(head + 1)...].prefix { !$0.hasPrefix("#") && !$0.hasPrefix("---") && !$0.hasPrefix("```") }
    for sentence in Self.sentences(own.joined(separator: " ")) {
      let first = sentence.prefix { $0.isLetter }.lowercased()
      if Self.advising.contains(first) || sentence.hasPrefix("For the ") {
        advice.append(sentence)
      } else if sentence.contains(": ") {
        // What stands behind a colon belongs together.
        questions.append(sentence)
      } else {
        questions += Self.clauses(sentence)
      }
    }
  }

  /// How sentences begin that ask for nothing.
  private static let advising: Set<String> = ["no", "nothing", "it", "take", "then", "if", "all"]

  /// Without the stop at its end.
  private static func sentences(_ text: String) -> [String] {
    split(text, at: { $0 == "." })
  }

  private static func clauses(_ sentence: String) -> [String] {
    var clauses: [String] = []
    for clause in split(sentence, at: { $0 == "," || $0 == ";" }) {
      // It only goes on with what stands before it.
      if clause.hasPrefix("during ") || clause.hasPrefix("or "), let last = clauses.popLast() {
        clauses.append("\(last), \(clause)")
        continue
      }
      let own = clause.hasPrefix("and ") ? clause.dropFirst(4) : clause[...]
      if !own.isEmpty { clauses.append(own.prefix(1).uppercased() + own.dropFirst()) }
    }
    return clauses
  }

  /// Cuts after a mark that a blank or the end follows, outside of brackets and backquotes.
  private static func split(_ text: String, at isMark: (Character) -> Bool) -> [String] {
    var parts = [""]
    var (depth, isCode) = (0, false)
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      if character == "`" { isCode.toggle() }
      if !isCode, character == "(" { depth += 1 }
      if !isCode, character == ")" { depth = max(0, depth - 1) }
      let isEnd = index + 1 == characters.count || characters[index + 1] == " "
      if isMark(character), isEnd, depth == 0, !isCode {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts.map { part in
      let words = part.split(separator: " ")
      return words.joined(separator: " ")
    }.filter { !$0.isEmpty }
  }
}
