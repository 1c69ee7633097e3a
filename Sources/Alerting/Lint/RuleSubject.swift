import Config
import PromQL

/// A rule being looked at.
struct RuleSubject {
  let rule: Rule
  let settings: RuleLintSettings
  /// Metrics that some rule of the same files records.
  let recorded: Set<String>
  private(set) var findings: [RuleFinding] = []

  init(_ rule: Rule, settings: RuleLintSettings, recorded: Set<String>) {
    self.rule = rule
    self.settings = settings
    self.recorded = recorded
  }

  var catalogue: MetricCatalogue { settings.catalogue }
  var expression: Expression { rule.query.expression }

  mutating func note(_ kind: RuleFinding.Kind, at place: SourceRange, _ problem: String, _ advice: String) {
    let mark = rule.place.expression.mark(of: place.lowerBound, in: rule.query.text)
    let finding = RuleFinding(
      kind: kind, file: rule.place.file, mark: mark, rule: rule.name, problem: problem, advice: advice)
    if !findings.contains(finding) { findings.append(finding) }
  }

  /// The text of a part of the query, on one line.
  func text(_ place: SourceRange) -> String {
    let bytes = Array(rule.query.text.utf8)
    return String(decoding: bytes[place.clamped(to: 0..<bytes.count)], as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

extension RuleSubject {
  /// Series that exist outside the catalogue wherever rules run.
  private static let synthetic: Set<String> = [
    "ALERTS", "ALERTS_FOR_STATE", "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added",
  ]

  /// Metrics, labels and values that are never exported, and variables of other tools left in a selector.
  mutating func lookAtSelectors() {
    for selector in expression.selectors {
      for matcher in selector.matchers where lookForVariable(matcher, in: selector) { continue }
      guard let name = selector.name, !recorded.contains(name), !Self.synthetic.contains(name) else { continue }
      guard let metric = catalogue.metric(name) else {
        if name.contains(":") {
          // By convention only rules give such names.
          note(
            .neverExportedMetric, at: selector.place, "no rule of these files records \(name), so this gives nothing",
            slip(name, in: recorded.sorted()).map { "write \($0)" }
              ?? "check the file that records it together with this one")
          continue
        }
        note(
          .neverExportedMetric, at: selector.place, "redline never exports \(name), so this gives nothing",
          catalogue.suggestion(for: name).map { "write \($0)" }
            ?? "run redline families for what there is; a metric of another exporter belongs to a rule of Prometheus")
        continue
      }
      for matcher in selector.matchers { look(at: matcher, of: metric, in: selector) }
    }
  }

  private mutating func look(
    at matcher: LabelMatcher, of metric: MetricCatalogue.Metric, in selector: Expression.Selector
  ) {
    let label = matcher.name
    guard label != Labels.metricName, !Self.isVariable(matcher.value) else { return }
    if let form = metric.forms[label] { look(at: matcher, of: metric, written: form, in: selector) }
    guard !matcher.matchesEmpty else { return }
    guard metric.labels.contains(label) else {
      if catalogue.targetLabels.contains(label) { return }
      let known = metric.labels.union(catalogue.targetLabels).sorted()
      note(
        .neverExportedLabel, at: selector.place,
        "redline puts no label \(label) on \(metric.name), so this selects nothing unless Prometheus adds it to the target",
        slip(label, in: known).map { "write \($0)" }
          ?? "take it out or use one of \(known.joined(separator: ", "))")
      return
    }
    guard let values = metric.values[label], !values.contains(where: { matcher.matches(value: $0) }) else { return }
    let known = values.sorted()
    note(
      .neverExportedValue, at: selector.place,
      "\(label) of \(metric.name) is never \(matcher.comparison == .equal ? "\"\(matcher.value)\"" : "what \(matcher) asks for")",
      slip(matcher.value, in: known).map { "write \"\($0)\"" }
        ?? "it is one of \(known.joined(separator: ", "))")
  }

  /// Values of a form that the label never has: selected they give nothing, excluded they leave everything in.
  private mutating func look(
    at matcher: LabelMatcher, of metric: MetricCatalogue.Metric, written form: LabelForm,
    in selector: Expression.Selector
  ) {
    guard let values = matcher.namedValues else { return }
    let possible = values.filter { form.problem(with: $0, dialect: settings.dialect) == nil }
    for value in values where !value.isEmpty && !possible.contains(where: { form.means(value, by: $0) }) {
      guard let problem = form.problem(with: value, dialect: settings.dialect) else { continue }
      note(
        .neverExportedValue, at: selector.place,
        "\(matcher.name) of \(metric.name) is never \"\(value)\": \(problem.reason)",
        problem.meant.map { meant in
          meant.contains("|") ? "write \(matcher.name)=~\"\(meant)\" for both" : "write \"\(meant)\""
        } ?? "take it out")
    }
  }

  private mutating func lookForVariable(_ matcher: LabelMatcher, in selector: Expression.Selector) -> Bool {
    guard Self.isVariable(matcher.value) else { return false }
    note(
      .leftoverVariable, at: selector.place,
      "\(matcher) holds a variable of a dashboard or chart, which nobody fills in here, so it selects nothing",
      "take the matcher out, or write the value that is meant")
    return true
  }

  /// `$cluster`, `${cluster}`, `[[cluster]]`, `{{ .Values.x }}`.
  static func isVariable(_ text: String) -> Bool {
    if text.contains("{{") || (text.hasPrefix("[[") && text.hasSuffix("]]")) { return true }
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      rest = rest[rest.index(after: dollar)...]
      if let next = rest.first, next == "{" || next == "_" || (next.isASCII && next.isLetter) { return true }
    }
    return false
  }
}

extension RuleSubject {
  private static let ofCounters: Set<String> = ["rate", "irate", "increase"]
  /// Functions that see nothing in fewer than two samples.
  private static let ofPairs: Set<String> = [
    "rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "changes", "resets",
  ]

  /// Functions over ranges that do not fit the metric or see too little of it.
  mutating func lookAtFunctions() {
    for case .call(let call) in expression.all {
      if call.function.isOfNativeHistograms(in: settings.dialect) {
        note(
          .nativeHistogram, at: call.place,
          "\(call.function.name) is for native histograms, and all that redline exports is numbers, so this gives nothing",
          "divide the metric that ends in _sum by the one in _count, or ask histogram_quantile")
      }
      for case .range(let range) in call.arguments.map(\.unwrapped) {
        lookAtKind(call, range)
        lookAtInfo(call, range)
        lookAtLength(call, range)
      }
    }
  }

  private mutating func lookAtKind(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    let name = call.function.name
    guard Self.ofCounters.contains(name), let metric = range.selector.name.flatMap(catalogue.metric),
      metric.kind == .gauge, !metric.isInfo
    else { return }
    let length = text(range.place)
    if name == "increase" {
      note(
        .increaseOfLevel, at: call.place,
        "\(metric.name) is a level, and increase takes each fall for a counter's restart and adds it up",
        "write delta(\(length)) for its change, or max_over_time and min_over_time for how far it went")
    } else {
      note(
        .rateOfGauge, at: call.place,
        "\(metric.name) is a gauge, and \(name) takes each fall for a counter's restart",
        "write deriv(\(length)) for its slope, or find the counter behind it with redline families")
    }
  }

  /// A change of what an info metric tells makes a new series; within one series nothing ever changes.
  private mutating func lookAtInfo(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    guard Self.ofPairs.contains(call.function.name), let metric = range.selector.name.flatMap(catalogue.metric),
      metric.isInfo
    else { return }
    let isRole = metric.labels.contains("role")
    note(
      .hiddenRoleChange, at: call.place,
      "\(metric.name) is always 1 and tells things by its labels: a change makes a new series, and \(call.function.name) "
        + "of each one stays 0",
      isRole
        ? "write increase(redis_failovers_total[10m]) > 0, or changes(redis_instance_role{role=\"master\"}[10m]) > 0"
        : "count its series instead, or compare it with itself: \(metric.name) unless \(metric.name) offset 5m")
  }

  private mutating func lookAtLength(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    let interval = settings.pollIntervalMilliseconds
    guard Self.ofPairs.contains(call.function.name), range.rangeMilliseconds < 2 * interval else { return }
    let length = RuleDuration.text(milliseconds: range.rangeMilliseconds)
    note(
      .shortRange, at: call.place,
      "\(call.function.name) needs two samples, and \(length) holds fewer at one every "
        + RuleDuration.text(milliseconds: interval),
      "write [\(RuleDuration.text(milliseconds: 4 * interval))] or more, so that one missed poll does not empty it")
  }

  /// Ranges and offsets beyond what is kept.
  mutating func lookAtHistory() {
    guard let history = settings.historyMilliseconds else { return }
    guard let reach = rule.query.reaches().compactMap(\.milliseconds).max(), reach > history else { return }
    note(
      .missingHistory, at: expression.place,
      "it looks back \(RuleDuration.text(milliseconds: reach)), and samples are kept for "
        + RuleDuration.text(milliseconds: history),
      "shorten its ranges and offsets, or keep more history")
  }
}

extension RuleSubject {
  /// Comparisons that can never hold, never end, or hold of too much, and operators whose sides never meet.
  mutating func lookAtOperators() {
    for node in expression.all {
      let remarks: [RuleRemark] =
        switch node {
        case .binary(let binary) where binary.operation.isComparison:
          ComparisonReview(of: binary, in: self).remarks + JoinReview(of: binary, in: self).remarks
        case .binary(let binary): JoinReview(of: binary, in: self).remarks
        case .call(let call): JoinReview(of: call, in: self).remarks
        default: []
        }
      for remark in remarks { note(remark.kind, at: remark.place, remark.problem, remark.advice) }
    }
  }

  /// Divisions by a metric in which 0 means that there is no limit: used / 0 is +Inf, which is above any threshold.
  mutating func lookAtDivisions() {
    guard !catalogue.zeroMeansUnlimited.isEmpty else { return }
    var found: [(Expression.Selector, SourceRange)] = []
    expression.walk { node, ancestors in
      guard case .binary(let division) = node, division.operation == .divide || division.operation == .modulo,
        !Self.isBounded(ancestors, below: node)
      else { return }
      for selector in Self.unguarded(division.right) where catalogue.zeroMeansUnlimited.contains(selector.name ?? "") {
        if !isGuardedElsewhere(selector.name ?? "", ancestors) { found.append((selector, division.right.place)) }
      }
    }
    for (selector, place) in found {
      let name = selector.name ?? ""
      note(
        .unguardedDivision, at: place,
        "\(name) is 0 where no limit is set, and a division by it gives +Inf, which is above every threshold",
        "write (\(text(place)) > 0)")
    }
  }

  /// The selectors of a divisor whose zero gets through.
  private static func unguarded(_ expression: Expression) -> [Expression.Selector] {
    switch expression.unwrapped {
    case .selector(let selector): return [selector]
    case .range(let range): return [range.selector]
    case .call(let call):
      // clamp_min(x, 1) and clamp(x, 1, 2) leave no zero.
      if call.function.name == "clamp_min" || call.function.name == "clamp" {
        if call.arguments.count > 1, let least = call.arguments[1].constant, least > 0 { return [] }
      }
      return call.arguments.flatMap(unguarded)
    case .aggregation(let node):
      // A sum over several nodes is 0 only when all are.
      return unguarded(node.expression)
    case .subquery(let node): return unguarded(node.expression)
    case .unary(let node): return unguarded(node.expression)
    case .binary(let node):
      if excludesZero(node) { return [] }
      if node.operation == .and || node.operation == .unless { return unguarded(node.left) }
      // A sum is 0 only when both sides are; a product when one is.
      if node.operation == .add { return [] }
      return unguarded(node.left) + unguarded(node.right)
    case .number, .string, .parentheses: return []
    }
  }

  /// `x > 0`, `x != 0`, `x > 100`, `0 < x`.
  private static func excludesZero(_ node: Expression.Binary) -> Bool {
    guard node.operation.isComparison, !node.returnsBool else { return false }
    if let right = node.right.constant { return !holds(node.operation, 0, right) }
    if let left = node.left.constant { return !holds(node.operation, left, 0) }
    return false
  }

  private static func holds(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
    switch operation {
    case .equal: a == b
    case .notEqual: a != b
    case .greater: a > b
    case .less: a < b
    case .greaterOrEqual: a >= b
    case .lessOrEqual: a <= b
    default: true
    }
  }

  /// True when what stands around a division keeps +Inf out: a threshold from above, as in `… > 90 <= 100`.
  private static func isBounded(_ ancestors: [Expression], below node: Expression) -> Bool {
    for ancestor in ancestors {
      guard case .binary(let around) = ancestor else { continue }
      if around.operation.isComparison, !around.returnsBool {
        if let limit = around.right.constant, !holds(around.operation, .infinity, limit) { return true }
        if let limit = around.left.constant, !holds(around.operation, limit, .infinity) { return true }
      }
    }
    return false
  }

  /// True when the whole is joined by `and` with a condition that the metric is above 0, or gives way by `or` or `unless`
  /// to one that it is 0.
  private func isGuardedElsewhere(_ name: String, _ ancestors: [Expression]) -> Bool {
    ancestors.contains { ancestor in
      guard case .binary(let around) = ancestor else { return false }
      switch around.operation {
      case .or: return Self.findsZero(of: name, in: around.left)
      case .unless: return Self.findsZero(of: name, in: around.right)
      case .and: break
      default: return false
      }
      return [around.left, around.right].contains { side in
        side.all.contains { node in
          guard case .binary(let condition) = node, Self.excludesZero(condition) else { return false }
          return condition.left.selectors.contains { $0.name == name } && !Self.holdsDivision(condition.left)
        }
      }
    }
  }

  /// `name == 0` and the like, with nothing that would narrow it.
  private static func findsZero(of name: String, in expression: Expression) -> Bool {
    switch expression.unwrapped {
    case .binary(let node) where node.operation == .or:
      findsZero(of: name, in: node.left) || findsZero(of: name, in: node.right)
    case .binary(let node) where node.operation.isComparison || node.operation.isArithmetic:
      if case .selector(let selector) = node.left.unwrapped, selector.name == name, node.operation.isComparison,
        let limit = node.right.constant
      {
        !node.returnsBool && holds(node.operation, 0, limit)
      } else {
        node.operation.isArithmetic && (findsZero(of: name, in: node.left) || findsZero(of: name, in: node.right))
      }
    default: false
    }
  }

  private static func holdsDivision(_ expression: Expression) -> Bool {
    expression.all.contains { if case .binary(let node) = $0 { node.operation == .divide } else { false } }
  }
}

extension Expression {
  /// Calls `body` with every node and what it stands in, the nearest first.
  func walk(_ ancestors: [Expression] = [], _ body: (Expression, [Expression]) -> Void) {
    body(self, ancestors)
    for child in children { child.walk([self] + ancestors, body) }
  }

  /// Every node, this one first.
  var all: [Expression] { [self] + children.flatMap(\.all) }

  /// The selectors in it.
  var selectors: [Selector] {
    all.compactMap { if case .selector(let selector) = $0 { selector } else { nil } }
  }

  /// The number it stands for, where that is written out: `80`, `60 * 60 * 48`.
  var constant: Double? {
    switch unwrapped {
    case .number(let node): return node.value
    case .unary(let node): return node.expression.constant.map { node.isMinus ? -$0 : $0 }
    case .binary(let node):
      guard let left = node.left.constant, let right = node.right.constant else { return nil }
      switch node.operation {
      case .add: return left + right
      case .subtract: return left - right
      case .multiply: return left * right
      case .divide: return left / right
      default: return nil
      }
    default: return nil
    }
  }
}

extension Expression.Selector {
  /// The metric's name, in front of the braces or as an equality within.
  var name: String? {
    metricName ?? matchers.first { $0.name == Labels.metricName && $0.comparison == .equal }?.value
  }
}
