import Config
import PromQL

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
