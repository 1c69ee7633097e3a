import Runtime

/// One step of relabelling, with the keys and defaults of Prometheus' `relabel_config`.
public struct RelabelConfig: Sendable, Equatable {
  public enum Action: String, Sendable, CaseIterable {
    case replace, keep, drop, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
    case keepEqual = "keepequal"
    case dropEqual = "dropequal"
  }

  static let defaultSeparator = ";"
  static let defaultRegex = "(.*)"
  static let defaultReplacement = "$1"

  public let action: Action
  public let sourceLabels: [String]
  public let separator: String
  /// Empty where the action writes no label.
  public let targetLabel: String
  /// In RE2 syntax, to match the whole text. It is compiled where it is applied.
  public let regex: String
  /// Where the regex, or the step that has none, is written; equal to any other place.
  public let place: Place
  /// At least 1 for `hashmod`, else 0.
  public let modulus: UInt64
  public let replacement: String

  /// A field and its place in the file, for errors that are found later.
  public struct Place: Sendable, Equatable {
    public let path: String
    public let mark: SourceMark

    public static func == (a: Place, b: Place) -> Bool { true }
  }

  init(_ fields: MappingReader) {
    let action = fields.value(
      "action", .oneOf(Action.self, noun: "a relabel action"), default: .replace, "What the step does.")
    self.action = action
    sourceLabels = fields.list("source_labels", of: .sourceLabel, "Labels whose values are joined and matched.")
    separator = fields.value(
      "separator", .string, default: Self.defaultSeparator, "Text between the joined values.")
    regex = fields.value("regex", .string, default: Self.defaultRegex, "RE2, to match the whole text.")
    modulus = UInt64(
      fields.value("modulus", .int(1...Int.max), default: 0, "Modulus of `hashmod`, which needs it.", shown: ""))
    replacement = fields.value(
      "replacement", .string, default: Self.defaultReplacement, "Text to write; `$1` stands for a group.")
    targetLabel = fields.value(
      "target_label", action == .replace ? .labelTemplate : .sourceLabel, default: "", "Label to write.")
    place = Place(path: "\(fields.path).regex", mark: fields.mark(of: "regex") ?? fields.mark)
    checkKeys(fields)
    if action == .labelmap, fields.contains("replacement"), !LabelSyntax.isTemplate(replacement) {
      fields.report("replacement", value: replacement, problem: "gives no label name")
    }
  }

  /// What the action needs, and what Prometheus refuses beside it.
  private func checkKeys(_ fields: MappingReader) {
    let rule = action.keys
    for key in rule.needed where !fields.contains(key) {
      fields.report(key, problem: "is missing", hint: "\(action.rawValue) needs it")
    }
    for key in rule.useless where fields.contains(key) {
      fields.report(key, problem: "has no meaning with \(action.rawValue)", hint: "leave it out")
    }
  }
}

extension RelabelConfig.Action {
  fileprivate var keys: (needed: [String], useless: [String]) {
    switch self {
    case .replace: (["target_label"], [])
    case .keep, .drop, .labelmap: ([], [])
    case .hashmod: (["target_label", "modulus"], [])
    case .lowercase, .uppercase: (["target_label"], ["replacement"])
    case .keepEqual, .dropEqual: (["target_label"], ["regex", "modulus", "replacement", "separator"])
    case .labeldrop, .labelkeep: ([], ["source_labels", "target_label", "modulus", "separator", "replacement"])
    }
  }
}

/// Names of labels: letters, digits and underscores, no digit first.
enum LabelSyntax {
  static func isName(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy(isNameByte) && text.utf8.first.map { !$0.isASCIIDigit } ?? false
  }

  /// A name in which `$1`, `${1}` and `${name}` may stand for groups.
  static func isTemplate(_ text: String) -> Bool {
    var plain = ""
    var rest = text[...]
    while let character = rest.popFirst() {
      guard character == "$" else {
        plain.append(character)
        continue
      }
      let isBraced = rest.first == "{"
      if isBraced { rest.removeFirst() }
      let name = rest.prefix { $0.utf8.allSatisfy(isNameByte) }
      guard !name.isEmpty else { return false }
      rest.removeFirst(name.count)
      if isBraced, rest.popFirst() != "}" { return false }
      plain.append("a")
    }
    return isName(plain)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIIAlphanumeric || byte == UInt8(ascii: "_")
  }
}

extension ScalarType<String> {
  fileprivate static var sourceLabel: ScalarType {
    nonEmptyString.restricted(
      to: { LabelSyntax.isName($0) }, "is not a label name",
      hint: "use letters, digits and underscores, no digit first",
      name: "label name")
  }

  fileprivate static var labelTemplate: ScalarType {
    nonEmptyString.restricted(
      to: { LabelSyntax.isTemplate($0) }, "gives no label name",
      hint: "use letters, digits and underscores, and ${1} for a group of the regex", name: "label name")
  }
}

extension RelabelConfig {
  /// Whether a text that a template gave can be the name of a label.
  public static func isLabelName(_ text: String) -> Bool { LabelSyntax.isName(text) }
}
