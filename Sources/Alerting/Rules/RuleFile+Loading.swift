import Config
import PromQL

extension RuleFile {
  /// Far above any file that people write; generated ones are large.
  public static let limits = YAMLLimits(bytes: 8 << 20, nodes: 1_000_000, depth: 32)

  /// What stands for this program's address at the beginning of annotations, in the shipped rule files: those are the same
  /// for Prometheus, whose users put an address of theirs in its place.
  public static let addressPlaceholder = "http://redline:9121"

  /// Reads a rule file, strictly: everything that promtool's `check rules` refuses is an error here too.
  ///
  /// - Parameter externalURL: takes the place of ``addressPlaceholder``; nil leaves it as it stands.
  public static func load(
    _ path: String, dialect: Dialect = .prometheus3, externalURL: String? = nil
  ) throws(ConfigErrors) -> RuleFile {
    let bytes: [UInt8]
    do throws(ConfigError) {
      bytes = try readFile(path, limitBytes: limits.bytes)
    } catch {
      throw ConfigErrors(error)
    }
    return try parse(bytes, file: path, dialect: dialect, externalURL: externalURL)
  }

  public static func parse(
    _ bytes: [UInt8], file: String, dialect: Dialect = .prometheus3, externalURL: String? = nil
  ) throws(ConfigErrors) -> RuleFile {
    let (root, second) = try YAMLNode.parsePrometheus(bytes, file: file, limits: limits)
    let text = String(decoding: bytes, as: UTF8.self)
    let reader = RuleReader(
      file: file, lines: text.split(separator: "\n", omittingEmptySubsequences: false), dialect: dialect,
      externalURL: externalURL)
    let groups = try root.decode(file: file) { fields in
      reader.hintAtResource(fields)
      var names: Set<String> = []
      return fields.mappings("groups") { reader.group($0, names: &names) }
    }
    let remark = second.map {
      ConfigError(
        .file(file, $0), problem: "a second document starts here and is not read",
        hint: "keep one document in a file, as Prometheus reads the first alone")
    }
    return RuleFile(path: file, groups: groups, remarks: remark.map { [$0] } ?? [], text: bytes)
  }
}

/// Reads the mappings of one rule file.
private struct RuleReader {
  let file: String
  let lines: [Substring]
  let dialect: Dialect
  /// Nil leaves links of annotations as they stand.
  let externalURL: String?

  /// A Kubernetes resource is no rule file; Prometheus refuses its keys, and so do we, but with a word on the way out.
  func hintAtResource(_ fields: MappingReader) {
    guard fields.contains("spec"), fields.contains("kind") else { return }
    _ = fields.optional("kind", .string)
    fields.report(
      "kind", problem: "a Kubernetes resource is not a rule file",
      hint: "save what stands under spec as a file of its own")
  }

  func group(_ fields: MappingReader, names: inout Set<String>) -> RuleGroup {
    let name = fields.value("name", .string, default: "")
    if name.isEmpty {
      fields.report("name", problem: "is missing or empty", hint: "give the group a name of its own in this file")
    } else if !names.insert(name).inserted {
      fields.report("name", value: name, problem: "is the name of two groups in this file", hint: "rename one of them")
    }
    let intervalMs = fields.optional("interval", .ruleDuration)
    let limit = fields.value("limit", .ruleLimit, default: 0)
    var queryOffsetMs: Int64?
    var labels: [String: String] = [:]
    if dialect == .prometheus3 {
      queryOffsetMs = fields.optional("query_offset", .ruleDuration)
      labels = texts(fields, "labels") { labels, name, text in
        check(label: name, labels)
        _ = template(labels, name, text, alert: "")
      }
    }
    return RuleGroup(
      file: file, name: name, intervalMilliseconds: intervalMs == 0 ? nil : intervalMs,
      queryOffsetMilliseconds: queryOffsetMs, limit: max(0, limit),
      rules: fields.mappings("rules") { rule($0, groupLabels: labels) }, mark: fields.mark)
  }

  private func rule(_ fields: MappingReader, groupLabels: [String: String]) -> Rule {
    let alert = fields.value("alert", .string, default: "")
    let record = fields.value("record", .string, default: "")
    if !alert.isEmpty, !record.isEmpty {
      fields.report("record", value: record, problem: "stands beside alert", hint: "a rule has one of the two")
    } else if alert.isEmpty, record.isEmpty {
      fields.report("alert", problem: "is missing, and so is record", hint: "name the alert or the metric to record")
    }
    let place = RulePlace(
      file: file, path: fields.path, mark: fields.mark,
      expression: ScalarPlace(fields.mark(of: "expr") ?? fields.mark, in: lines))
    let query = query(fields, place)
    let forMs = fields.value("for", .ruleDuration, default: 0)
    let keepFiringForMs = fields.value("keep_firing_for", .ruleDuration, default: 0)
    var templates: [String: AlertTemplate] = [:]
    for (name, text) in groupLabels { templates[name] = try? AlertTemplate(text, alert: alert) }
    let labels = texts(fields, "labels") { labels, name, text in
      check(label: name, labels)
      if !alert.isEmpty { templates[name] = template(labels, name, text, alert: alert) }
    }
    var annotations: [String: AlertTemplate] = [:]
    let hasAnnotations = !texts(fields, "annotations") { texts, name, text in
      if let problem = RuleName.problem(annotation: name, dialect: dialect) {
        texts.report(name, problem: "\(name.isEmpty ? "the name" : name) \(problem)")
      }
      annotations[name] = template(texts, name, linked(text), alert: alert)
    }.isEmpty
    guard alert.isEmpty else {
      return .alerting(
        AlertingRule(
          name: alert, query: query, forMilliseconds: forMs, keepFiringForMilliseconds: keepFiringForMs,
          labels: templates, annotations: annotations, place: place))
    }
    refuseInRecording(fields, "for", isSet: forMs != 0)
    refuseInRecording(fields, "keep_firing_for", isSet: keepFiringForMs != 0)
    refuseInRecording(fields, "annotations", isSet: hasAnnotations)
    if !record.isEmpty, let problem = RuleName.problem(metric: record, dialect: dialect) {
      fields.report("record", value: record, problem: problem)
    }
    return .recording(
      RecordingRule(name: record, query: query, labels: groupLabels.merging(labels) { $1 }, place: place))
  }

  private func refuseInRecording(_ fields: MappingReader, _ key: String, isSet: Bool) {
    if isSet {
      fields.report(key, problem: "has no meaning in a recording rule", hint: "only alerts have it; take it out")
    }
  }

  private func query(_ fields: MappingReader, _ place: RulePlace) -> Query {
    let text = fields.value("expr", .string, default: "")
    let start = place.expression.start
    do throws(QuerySyntaxError) {
      return try Query(
        text, dialect: dialect, origin: QueryOrigin(file: file, line: start.line, column: start.column))
    } catch {
      if text.isEmpty {
        fields.report("expr", problem: "is missing or empty")
      } else {
        let excerpt = "\(error)".split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(
          separator: "\n")
        fields.report(
          "expr", at: place.expression.mark(of: error.range.lowerBound, in: text),
          problem: (Self.isVariable(at: error.range, in: text)
            ? "a variable of a dashboard stands here" : error.message)
            + (excerpt.isEmpty ? "" : "\n" + excerpt))
      }
      return .placeholder
    }
  }

  /// Grafana fills in `$__rate_interval` and its like before a query goes out; nobody does so in a rule.
  private static func isVariable(at range: SourceRange, in text: String) -> Bool {
    text.utf8.dropFirst(range.lowerBound).first == UInt8(ascii: "$")
  }

  /// As YAML of Prometheus: any single value is a text, and null is an empty one.
  private func texts(
    _ fields: MappingReader, _ key: String, _ check: (MappingReader, String, String) -> Void
  ) -> [String: String] {
    fields.mapping(key) { texts in
      var found: [String: String] = [:]
      for name in texts.keys {
        let text = texts.value(name, .string, default: "")
        found[name] = text
        check(texts, name, text)
      }
      return found
    } ?? [:]
  }

  private func check(label name: String, _ labels: MappingReader) {
    if let problem = RuleName.problem(label: name, dialect: dialect) {
      labels.report(name, problem: "\(name.isEmpty ? "the name" : name) \(problem)")
    }
  }

  /// An annotation with this program's address in the place of the one that stands for it.
  private func linked(_ text: String) -> String {
    let placeholder = RuleFile.addressPlaceholder
    guard let externalURL, text.hasPrefix(placeholder) else { return text }
    let rest = text.dropFirst(placeholder.count)
    guard rest.isEmpty || rest.first == "/" else { return text }
    return (externalURL.hasSuffix("/") ? String(externalURL.dropLast()) : externalURL) + rest
  }

  private func template(_ texts: MappingReader, _ name: String, _ text: String, alert: String) -> AlertTemplate? {
    do throws(TemplateError) {
      return try AlertTemplate(text, alert: alert)
    } catch {
      let line = error.line > 1 ? "line \(error.line): " : ""
      texts.report(
        name, problem: "the template cannot be read: \(line)\(error.problem)", hint: TemplateHint.text(for: error))
      return nil
    }
  }
}

extension Query {
  /// Stands in for a query that could not be read; the file is refused, so nobody evaluates it.
  fileprivate static var placeholder: Query {
    guard let query = try? Query("vector(0)") else { preconditionFailure("vector(0) is a query") }
    return query
  }
}

/// What may have been meant by a template that cannot be read.
enum TemplateHint {
  static func text(for error: TemplateError) -> String? {
    let word = error.problem.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init)
    guard let word else { return nil }
    if error.problem.hasPrefix("undefined variable") {
      if let near = nearest(to: word, in: ["$labels", "$value", "$externalLabels", "$externalURL"]) {
        return "did you mean \(near)?"
      }
      return "a label of the result is written $labels.\(word.dropFirst())"
    }
    if error.problem.hasPrefix("function") {
      return nearest(to: word, in: TemplateFunction.all.keys.sorted()).map { "did you mean \($0)?" }
    }
    return nil
  }
}

extension ScalarType<Int> {
  /// A whole number; one below 0 is no limit, as 0 is.
  fileprivate static var ruleLimit: ScalarType {
    ScalarType(placeholder: 0) { text throws(Mismatch) in
      guard let limit = Int(text) else { throw Mismatch("is not a whole number", hint: "0 stands for no limit") }
      return limit
    }
  }
}

extension ScalarType<Int64> {
  /// A duration of Prometheus in milliseconds: `30s`, `1h30m`.
  static var ruleDuration: ScalarType {
    ScalarType(placeholder: 0) { text throws(Mismatch) in
      guard let ms = RuleDuration.milliseconds(text) else {
        throw Mismatch(
          "is not a duration", hint: "write whole numbers with units from large to small, such as 30s, 5m or 1h30m")
      }
      return ms
    }
  }
}
