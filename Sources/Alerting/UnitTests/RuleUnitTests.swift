import Config
import PromQL
import Runtime

/// A file of unit tests for rules, in promtool's format.
public struct RuleUnitTests: Sendable {
  public let path: String
  public let ruleFiles: [RuleFile]
  public let evaluationIntervalMilliseconds: Int64
  public let tests: [Test]
  /// What is odd but no error, such as a pattern that no file matches.
  public let remarks: [String]
  let groupOrder: [String]
  /// Values may differ in the last bit.
  let comparesFuzzily: Bool
  let dialect: Dialect

  public struct Test: Sendable {
    public let name: String
    let intervalMilliseconds: Int64
    let startMilliseconds: Int64
    let series: [Labels: [Sample]]
    let alerts: [AlertCase]
    let queries: [QueryCase]
    let externalLabels: [String: String]
    let externalURL: String
    /// The last time that anything is asked about, from the start.
    var lastMilliseconds: Int64 {
      max(alerts.map(\.timeMilliseconds).max() ?? 0, queries.map(\.timeMilliseconds).max() ?? 0)
    }
  }

  struct AlertCase: Sendable {
    let timeMilliseconds: Int64
    let name: String
    let expected: [ExpectedAlert]
    let mark: SourceMark
  }

  struct ExpectedAlert: Sendable, Equatable {
    /// With `alertname`.
    let labels: [String: String]
    let annotations: [String: String]
  }

  struct QueryCase: Sendable {
    let timeMilliseconds: Int64
    let text: String
    let expected: [RuleSample]
    let mark: SourceMark
  }
}

extension RuleUnitTests {
  /// Reads a file of tests and the rule files that it names, strictly.
  public static func load(_ path: String, dialect: Dialect = .prometheus3) throws(ConfigErrors) -> RuleUnitTests {
    let bytes: [UInt8]
    do throws(ConfigError) {
      bytes = try readFile(path, limitBytes: RuleFile.limits.bytes)
    } catch {
      throw ConfigErrors(error)
    }
    let (root, _) = try YAMLNode.parsePrometheus(bytes, file: path, limits: RuleFile.limits)
    var found = UnitTestReader(path: path, dialect: dialect)
    let tests = try root.decode(file: path) { found.read($0) }
    var files: [RuleFile] = []
    for file in found.rulePaths { files.append(try RuleFile.load(file, dialect: dialect)) }
    return RuleUnitTests(
      path: path, ruleFiles: files, evaluationIntervalMilliseconds: found.evaluationIntervalMs, tests: tests,
      remarks: found.remarks + files.flatMap(\.remarks).map(\.description), groupOrder: found.groupOrder,
      comparesFuzzily: found.comparesFuzzily, dialect: dialect)
  }
}

/// Reads the mappings of one file of tests.
private struct UnitTestReader {
  let path: String
  let dialect: Dialect
  var evaluationIntervalMs: Int64 = 60_000
  var rulePaths: [String] = []
  var remarks: [String] = []
  var groupOrder: [String] = []
  var comparesFuzzily = false

  init(path: String, dialect: Dialect) {
    self.path = path
    self.dialect = dialect
  }

  mutating func read(_ fields: MappingReader) -> [RuleUnitTests.Test] {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    for pattern in fields.list("rule_files", of: .string) {
      let full = pattern.hasPrefix("/") || pattern.isEmpty ? pattern : folder + pattern
      let matches = PathPattern.matches(full)
      if matches.isEmpty { remarks.append("no file matches the pattern \(full)") }
      rulePaths += matches
    }
    let interval = fields.value("evaluation_interval", .ruleDuration, default: 0)
    if interval > 0 { evaluationIntervalMs = interval }
    groupOrder = fields.list("group_eval_order", of: .string)
    if Set(groupOrder).count < groupOrder.count {
      fields.report("group_eval_order", problem: "names a group twice", hint: "keep each name once")
    }
    if dialect == .prometheus3 { comparesFuzzily = fields.value("fuzzy_compare", .bool, default: false) }
    var index = 0
    return fields.mappings("tests") { test in
      defer { index += 1 }
      return self.test(test, index: index)
    }
  }

  private func test(_ fields: MappingReader, index: Int) -> RuleUnitTests.Test {
    let given = fields.value("interval", .ruleDuration, default: 0)
    // Prometheus 2 knows no interval but the group's own: without it all values fall on the start, where one counts.
    let interval = given > 0 || dialect == .prometheus2 ? given : evaluationIntervalMs
    let startMs = dialect == .prometheus3 ? fields.optional("start_timestamp", .moment) ?? 0 : 0
    var series: [Labels: [Sample]] = [:]
    let inputs = fields.mappings("input_series") { self.series($0) }
    for (labels, values) in inputs {
      // Of a series given twice the last one holds, as in Prometheus.
      let samples = values.enumerated().compactMap { step, value in
        value.map { Sample(timestampMilliseconds: startMs + Int64(step) * interval, value: $0) }
      }
      series[labels] = interval > 0 ? samples : Array(samples.prefix(1))
    }
    return RuleUnitTests.Test(
      name: fields.value("name", .string, default: "unnamed#\(index)"), intervalMilliseconds: interval,
      startMilliseconds: startMs, series: series, alerts: fields.mappings("alert_rule_test") { alertCase($0) },
      queries: fields.mappings("promql_expr_test") { queryCase($0) },
      externalLabels: fields.dictionary("external_labels", of: .string),
      externalURL: fields.value("external_url", .string, default: ""))
  }

  private func series(_ fields: MappingReader) -> (Labels, [Double?]) {
    (
      fields.required("series", .seriesLabels),
      fields.value("values", .seriesValues, default: [])
    )
  }

  private func alertCase(_ fields: MappingReader) -> RuleUnitTests.AlertCase {
    let name = fields.required("alertname", .nonEmptyString)
    return RuleUnitTests.AlertCase(
      timeMilliseconds: fields.value("eval_time", .ruleDuration, default: 0), name: name,
      expected: fields.mappings("exp_alerts") { alert in
        RuleUnitTests.ExpectedAlert(
          labels: texts(alert, "exp_labels").merging([AlertSeries.alertName: name]) { $1 },
          annotations: texts(alert, "exp_annotations"))
      }, mark: fields.mark)
  }

  private func texts(_ fields: MappingReader, _ key: String) -> [String: String] {
    fields.mapping(key) { texts in
      Dictionary(uniqueKeysWithValues: texts.keys.map { ($0, texts.value($0, .string, default: "")) })
    } ?? [:]
  }

  private func queryCase(_ fields: MappingReader) -> RuleUnitTests.QueryCase {
    RuleUnitTests.QueryCase(
      timeMilliseconds: fields.value("eval_time", .ruleDuration, default: 0),
      text: fields.value("expr", .string, default: ""),
      expected: fields.mappings("exp_samples") { sample in
        if sample.contains("histogram") {
          _ = sample.optional("histogram", .string)
          sample.report("histogram", problem: "asks for a native histogram", hint: "these are not supported")
        }
        return RuleSample(
          labels: sample.value("labels", .seriesLabels, default: .empty),
          value: sample.value("value", .yamlNumber, default: 0))
      }, mark: fields.mark)
  }
}

extension ScalarType<Labels> {
  /// `up{job="redis"}`; an empty text has no labels.
  fileprivate static var seriesLabels: ScalarType {
    ScalarType(placeholder: .empty) { text throws(Mismatch) in
      do {
        let series = try SeriesNotation(text)
        if series.values.isEmpty { return series.labels }
      } catch let error as QuerySyntaxError {
        throw Mismatch("names no series: \(error.message)", hint: "write name{label=\"value\"}")
      } catch {
        throw Mismatch("names no series: \(error)", hint: "write name{label=\"value\"}")
      }
      throw Mismatch("holds more than labels", hint: "write name{label=\"value\"}")
    }
  }
}

extension ScalarType<[Double?]> {
  fileprivate static var seriesValues: ScalarType {
    ScalarType(placeholder: []) { text throws(Mismatch) in
      if text.contains("{{") { throw Mismatch("holds native histograms", hint: "these are not supported") }
      do {
        return try SeriesNotation.values(text)
      } catch {
        throw Mismatch("cannot be read: \(error)", hint: "write 1, 1x3, 1+2x3, _, _x3 or stale, with spaces between")
      }
    }
  }
}

extension ScalarType<Double> {
  /// A number as YAML writes it, `.inf` and `.nan` among them.
  fileprivate static var yamlNumber: ScalarType {
    ScalarType(placeholder: 0) { text throws(Mismatch) in
      switch text.lowercased() {
      case ".inf", "+.inf": return .infinity
      case "-.inf": return -.infinity
      case ".nan": return .nan
      default:
        guard text.contains(where: \.isNumber), let number = Double(text.filter { $0 != "_" }) else {
          throw Mismatch("is not a number", hint: "write .inf or .nan for those")
        }
        return number
      }
    }
  }
}

extension ScalarType<Int64> {
  /// A time in milliseconds, written in seconds since 1970 or as RFC 3339.
  fileprivate static var moment: ScalarType {
    ScalarType(placeholder: 0) { text throws(Mismatch) in
      if let seconds = Double(text), seconds.magnitude < 1e12 {
        return Int64(clamping: (seconds * 1000).rounded(.down))
      }
      if let timestamp = Timestamp.parse(text) { return timestamp.epochMs }
      throw Mismatch("is not a time", hint: "write seconds since 1970, or 2026-01-31T12:00:00Z")
    }
  }
}

/// What one question of a test got other than it expected.
public struct UnitTestFailure: Sendable, CustomStringConvertible {
  /// The test's name; empty for the file as a whole.
  public let test: String
  /// The line of the question in the file of tests; nil for what no single question asked.
  public let line: Int?
  /// Several lines, ready to be read.
  public let text: String

  public var description: String {
    "  \(test.isEmpty ? "" : "\(test): ")" + (line.map { "line \($0): " } ?? "") + text
  }
}

extension RuleUnitTests {
  /// Carries out the tests whose name `isWanted`, and gives what failed.
  public func run(where isWanted: (String) -> Bool = { _ in true }) -> [UnitTestFailure] {
    tests.filter { isWanted($0.name) }.flatMap { UnitTestRun(self, $0).failures() }
  }

  /// The groups in the order of evaluation; those that the file does not name come first, as in promtool.
  var orderedGroups: [RuleGroup] {
    let places = Dictionary(uniqueKeysWithValues: groupOrder.enumerated().map { ($0.element, $0.offset) })
    let groups = ruleFiles.flatMap(\.groups).enumerated()
    return groups.sorted { a, b in
      let (first, second) = (places[a.element.name] ?? 0, places[b.element.name] ?? 0)
      return first == second ? a.offset < b.offset : first < second
    }.map(\.element)
  }
}

/// One test being carried out.
private struct UnitTestRun {
  private let file: RuleUnitTests
  private let test: RuleUnitTests.Test
  private let series: UnitTestSeries
  private let evaluator: GroupEvaluator
  private var groups: [GroupState]

  init(_ file: RuleUnitTests, _ test: RuleUnitTests.Test) {
    self.file = file
    self.test = test
    let series = UnitTestSeries(test.series)
    self.series = series
    var options = QueryOptions()
    options.subqueryStepMilliseconds = file.evaluationIntervalMilliseconds
    evaluator = GroupEvaluator(
      source: series, options: options, dialect: file.dialect, externalLabels: test.externalLabels,
      externalURL: test.externalURL
    ) { labels, sample in try series.append(labels, sample) }
    groups = file.orderedGroups.map { GroupState($0) }
  }

  func failures() -> [UnitTestFailure] {
    var run = self
    return run.evaluate() ?? []
  }

  /// Evaluates from the start to the last question, every interval, and asks on the way.
  private mutating func evaluate() -> [UnitTestFailure]? {
    var failures: [UnitTestFailure] = []
    let start = test.startMilliseconds
    var questions = test.alerts.sorted { $0.timeMilliseconds < $1.timeMilliseconds }[...]
    for time in stride(
      from: start, through: start + test.lastMilliseconds, by: Int(file.evaluationIntervalMilliseconds))
    {
      do {
        try series.reveal(throughMilliseconds: time)
      } catch {
        return failures + [failure("\(clock(time)): \(error)")]
      }
      for index in groups.indices { evaluator.evaluate(&groups[index], atMilliseconds: time) }
      let broken = brokenRules(at: time)
      if !broken.isEmpty { return failures + broken }
      while let question = questions.first,
        question.timeMilliseconds < time - start + file.evaluationIntervalMilliseconds
      {
        questions.removeFirst()
        if let failure = answer(question) { failures.append(failure) }
      }
    }
    return failures + test.queries.compactMap { answer($0) }
  }

  private func brokenRules(at time: Int64) -> [UnitTestFailure] {
    groups.flatMap { state in
      zip(state.group.rules, state.rules).compactMap { rule, ruleState in
        ruleState.lastError.map { failure("rule \(rule.name) of group \(state.group.name), \(clock(time)): \($0)") }
      }
    }
  }

  private func answer(_ question: RuleUnitTests.AlertCase) -> UnitTestFailure? {
    var known: [Alert] = []
    var names: Set<String> = []
    for state in groups {
      for (rule, ruleState) in zip(state.group.rules, state.rules) {
        guard case .alerting = rule else { continue }
        names.insert(rule.name)
        if rule.name == question.name { known += ruleState.tracker.active }
      }
    }
    let difference = AlertDifference(expected: question.expected, alerts: known)
    guard !difference.isEmpty else { return nil }
    let time = RuleDuration.text(milliseconds: question.timeMilliseconds)
    let note = names.contains(question.name) ? "" : AlertDifference.missingRule(question.name, among: names)
    return failure("alert \(question.name) at \(time):\(note)\(difference.text)", question.mark.line)
  }

  private func answer(_ question: RuleUnitTests.QueryCase) -> UnitTestFailure? {
    let head = "expr \(question.text) at \(RuleDuration.text(milliseconds: question.timeMilliseconds)):"
    do {
      let query = try Query(question.text, dialect: file.dialect)
      let result = try query.value(
        atMilliseconds: test.startMilliseconds + question.timeMilliseconds, in: series, options: evaluator.options)
      let got = try GroupEvaluator.vector(result.value)
      let difference = SampleDifference(expected: question.expected, got: got, isFuzzy: file.comparesFuzzily)
      return difference.isEmpty ? nil : failure(head + difference.text, question.mark.line)
    } catch {
      return failure("\(head) \(error)", question.mark.line)
    }
  }

  private func clock(_ time: Int64) -> String {
    "at \(RuleDuration.text(milliseconds: time - test.startMilliseconds))"
  }

  private func failure(_ text: String, _ line: Int? = nil) -> UnitTestFailure {
    UnitTestFailure(test: test.name, line: line, text: text)
  }
}
