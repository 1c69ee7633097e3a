import Runtime

/// Names and values that end up in labels of metrics.
enum LabelRules {
  static let countLimit = 16
  static let valueLimitBytes = 128

  /// Labels that the daemon or Prometheus sets itself.
  static let reserved: Set<String> = ["workload", "instance", "job", "role", "le", "quantile"]

  /// Names that have a key of their own.
  static let ownKeys: Set<String> = ["environment", "team", "kind", "topology"]

  /// What keeps a text from being the name of any label.
  static func problem(ofAnyName name: String) -> (problem: String, hint: String)? {
    guard LabelSyntax.isName(name) else {
      return ("is not a label name", "use letters, digits and underscores, no digit first")
    }
    return name.hasPrefix("__") ? ("is reserved", "label names must not start with __") : nil
  }

  static func problem(ofName name: String) -> (problem: String, hint: String)? {
    if let problem = problem(ofAnyName: name) { return problem }
    if reserved.contains(name) { return ("is reserved", "it is set for every series") }
    if ownKeys.contains(name) { return ("has a key of its own", "write \(name): beside labels") }
    return nil
  }

  /// The labels under `labels`, over inherited ones.
  static func read(_ fields: MappingReader, inherited: [String: String]) -> [String: String] {
    let own =
      fields.mapping("labels", "Further labels of `redis_workload_info`, by name; at most \(countLimit).") {
        labels -> [String: String] in
        var result: [String: String] = [:]
        for name in labels.keys {
          result[name] = labels.required(name, .labelValue)
          if let (problem, hint) = problem(ofName: name) { labels.report(name, problem: problem, hint: hint) }
        }
        return result
      } ?? [:]
    let all = inherited.merging(own) { _, own in own }
    if all.count > countLimit { fields.report("labels", problem: "has more than \(countLimit) labels") }
    return all
  }
}

extension ScalarType<String> {
  /// Text of 1 to 128 bytes without control characters.
  static var labelValue: ScalarType {
    nonEmptyString.restricted(
      to: { text in
        text.utf8.count <= LabelRules.valueLimitBytes
          && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
      }, "is not fit for a label", hint: "use up to \(LabelRules.valueLimitBytes) bytes without control characters",
      range: "1 to \(LabelRules.valueLimitBytes) bytes")
  }

  /// A name for pages, paths and labels: 1 to 63 letters, digits, dots, dashes and underscores, where a letter or
  /// digit comes first.
  static var plainName: ScalarType {
    string.restricted(
      to: { text in
        let isPlain = text.utf8.allSatisfy { $0.isASCIIAlphanumeric || ".-_".utf8.contains($0) }
        return isPlain && (1...63).contains(text.utf8.count) && text.first.map { !".-_".contains($0) } == true
      }, "is not a plain name",
      hint: "use 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first", name: "name",
      range: "1 to 63 letters, digits, `.`, `-` and `_`, a letter or digit first")
  }
}
