/// One row of the flag table.
public struct Flag: Sendable {
  /// What the text after the flag must be.
  enum Kind: Sendable {
    case string
    /// Printed as `<secret>` wherever it would be seen.
    case secret
    /// In Go's spellings; as a flag it never takes the next word.
    case bool
    case int(ClosedRange<Int>)
    /// A number in (0, limit].
    case share(upTo: Double)
    /// In Go's syntax.
    case duration(DurationRange)
    /// One of a few words, in any case.
    case choice([String])
  }

  /// The heading the flag stands under in the usage text.
  public enum Group: String, Sendable, CaseIterable {
    case redis = "Redis"
    case tls = "TLS to Redis"
    case export = "What is exported"
    case keys = "Keys, streams and scripts"
    case web = "Web"
    case polling = "Polling"
    case process = "Process"
  }

  /// Without dashes.
  public let name: String
  /// The environment variable that gives the value when the flag is absent.
  public let variable: String?
  /// As it would be written after the flag; empty for none.
  public let defaultText: String
  /// One sentence.
  public let meaning: String
  public let group: Group
  let kind: Kind

  /// The type for people: `string`, `bool`, `int`, `number`, `duration`, or the words of a choice.
  public var typeName: String {
    switch kind {
    case .string: "string"
    case .secret: "secret"
    case .bool: "bool"
    case .int: "int"
    case .share: "number"
    case .duration: "duration"
    case .choice(let words): words.joined(separator: " or ")
    }
  }

  var isBool: Bool {
    if case .bool = kind { true } else { false }
  }

  var isSecret: Bool {
    if case .secret = kind { true } else { false }
  }
}

extension Flags {
  /// The usage text, grouped, without a line break at its end. It holds defaults only and never a value of the environment, which may be a password.
  public static func usage(program: String = "redline") -> String {
    var text = "Usage: \(program) [-flag value] [-flag=value] ...\n"
    text += "A flag goes before its environment variable, and that before the default.\n"
    text += "Booleans take a value only after =.\n"
    for group in Flag.Group.allCases {
      text += "\n\(group.rawValue)\n"
      for flag in all where flag.group == group {
        text += "  -\(flag.name)" + (flag.isBool ? "" : " \(flag.typeName)") + "\n"
        text += "        \(flag.meaning)\n"
        let notes = [
          flag.defaultText.isEmpty ? nil : "default \(flag.defaultText)", flag.variable.map { "environment \($0)" },
        ].compactMap { $0 }
        if !notes.isEmpty { text += "        (\(notes.joined(separator: ", ")))\n" }
      }
    }
    return String(text.dropLast())
  }

  /// The reference of the flags as Markdown, without a line break at its end.
  public static var referenceText: String {
    """
    # Flag reference

    The flags of the daemon, as `redline reference flags` prints them from the table that they are read by. Each may be \
    written `-x`, `--x` or `--x=value`; booleans take a value only after `=`. A flag goes before its environment \
    variable, and that before the default. `redline --help` groups them by subject.

    \(markdownTable())
    """
  }

  /// A table with a line for each flag, without a line break at its end.
  public static func markdownTable() -> String {
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    func code(_ text: String) -> String { text.isEmpty ? "" : "`\(text)`" }
    var lines = ["| flag | environment | type | default | meaning |", "|---|---|---|---|---|"]
    for flag in all {
      let cells = [
        code("-\(flag.name)"), code(flag.variable ?? ""), flag.typeName, code(flag.defaultText), flag.meaning,
      ]
      lines.append("| \(cells.map(cell).joined(separator: " | ")) |")
    }
    return lines.joined(separator: "\n")
  }
}
