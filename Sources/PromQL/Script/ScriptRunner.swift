/// Runs scripts and counts what held.
public struct ScriptRunner: Sendable {
  public let dialect: Dialect
  private let options: QueryOptions

  public init(dialect: Dialect = .prometheus3, options: QueryOptions = QueryOptions()) {
    self.dialect = dialect
    self.options = options
  }

  /// What came of a script's evals.
  public struct Report: Sendable {
    public internal(set) var passed = 0
    public internal(set) var skipped = 0
    /// A line for each eval that failed: `file:line: query: what is wrong`.
    public internal(set) var failures: [String] = []
    /// Why evals were skipped, each reason once.
    public internal(set) var skipReasons: [String] = []

    public var failed: Int { failures.count }
  }

  /// Every eval is counted once; an instant one is also evaluated as the middle of a range.
  public func run(_ script: Script) -> Report {
    var report = Report()
    var source = ArraySource()
    var unsupported: [Labels] = []
    for command in script.commands {
      switch command {
      case .clear:
        source = ArraySource()
        unsupported = []
      case .load(let step, let series):
        for notation in series { source.append(notation.samples(stepMilliseconds: step), to: notation.labels) }
      case .loadUnsupported(let labels): unsupported += labels
      case .eval(let eval):
        report.add(
          outcome(of: eval, source, unsupported, script.file), "\(script.file):\(eval.line): \(eval.query)")
      }
    }
    return report
  }

  enum Outcome {
    case passed
    case failed(String)
    case skipped(String)
  }

  private func outcome(
    of eval: Script.Eval, _ source: ArraySource, _ unsupported: [Labels], _ file: String
  ) -> Outcome {
    if case .unsupported = eval.result { return .skipped("native histograms") }
    do {
      let query = try Query(
        eval.query, dialect: dialect, origin: QueryOrigin(file: file, line: eval.line))
      if query.expression.selectsAny(of: unsupported) { return .skipped("native histograms") }
      let result = try result(of: query, eval.moment, source)
      if eval.mustFail { return .failed("it should fail, but gave \(result.value.described)") }
      let comparison = ScriptComparison(eval)
      if let mismatch = comparison.mismatch(of: result.value) ?? comparison.mismatchOfAnnotations(result.annotations) {
        return .failed(mismatch)
      }
      return try rangeOutcome(query, eval, source, comparison)
    } catch let error as QuerySyntaxError where error.isUnsupported {
      if eval.mustFail, case .passed = eval.outcome(ofError: error.message) { return .passed }
      return .skipped(error.message)
    } catch let error as QuerySyntaxError {
      return eval.outcome(ofError: error.message)
    } catch let error as EvaluationError {
      return eval.outcome(ofError: error.message, detail: error.detail)
    } catch {
      return eval.outcome(ofError: "\(error)")
    }
  }

  private func result(
    of query: Query, _ moment: Script.Eval.Moment, _ source: ArraySource
  ) throws -> QueryResult {
    switch moment {
    case .instant(let time): return try query.value(atMilliseconds: time, in: source, options: options)
    case .range(let start, let end, let step):
      return try query.values(
        fromMilliseconds: start, throughMilliseconds: end, stepMilliseconds: step, in: source, options: options)
    }
  }

  /// An instant query gives the same as the middle of three steps, where order does not count.
  private func rangeOutcome(
    _ query: Query, _ eval: Script.Eval, _ source: ArraySource, _ comparison: ScriptComparison
  ) throws -> Outcome {
    guard case .instant(let time) = eval.moment, !eval.isOrdered, !query.dependsOnQueryRange,
      query.expression.type == .vector || query.expression.type == .scalar
    else { return .passed }
    let minute: Int64 = 60_000
    let result = try query.values(
      fromMilliseconds: time - minute, throughMilliseconds: time + minute, stepMilliseconds: minute, in: source,
      options: options)
    guard case .matrix(let series) = result.value else { return .passed }
    let middle = series.compactMap { series in
      series.samples.first { $0.timestampMilliseconds == time }
        .map { VectorSample(labels: series.labels, value: $0.value) }
    }
    let value: QueryValue =
      query.expression.type == .scalar ? .scalar(middle.first?.value ?? .nan) : .vector(middle)
    return comparison.mismatch(of: value).map { .failed("as part of a range: \($0)") } ?? .passed
  }
}

extension ScriptRunner.Report {
  mutating func add(_ outcome: ScriptRunner.Outcome, _ eval: String) {
    switch outcome {
    case .passed: passed += 1
    case .failed(let problem): failures.append("\(eval): \(problem)")
    case .skipped(let reason):
      skipped += 1
      if !skipReasons.contains(reason) { skipReasons.append(reason) }
    }
  }
}

extension Script.Eval {
  fileprivate func outcome(ofError message: String, detail: String? = nil) -> ScriptRunner.Outcome {
    guard mustFail else { return .failed(detail.map { "\(message): \($0)" } ?? message) }
    for expectation in expectations where expectation.kind == .fail && !expectation.accepts(message) {
      return .failed("it failed with another error: \(message)")
    }
    return .passed
  }
}

extension SeriesNotation {
  /// The values as samples, the first at 0.
  public func samples(stepMilliseconds step: Int64) -> [Sample] {
    values.enumerated().compactMap { index, value in
      value.map { Sample(timestampMilliseconds: Int64(index) * step, value: $0) }
    }
  }
}

extension Query {
  /// `@ start()` and `@ end()` mean another time in a range query.
  fileprivate var dependsOnQueryRange: Bool { expression.holdsStartOrEnd }
}

extension Expression {
  fileprivate func selectsAny(of series: [Labels]) -> Bool {
    if case .selector(let node) = self {
      return series.contains { labels in node.matchers.allSatisfy { $0.matches(labels) } }
    }
    return children.contains { $0.selectsAny(of: series) }
  }

  fileprivate var holdsStartOrEnd: Bool {
    let anchor: TimeShift.Anchor? =
      switch self {
      case .selector(let node): node.shift.anchor
      case .range(let node): node.selector.shift.anchor
      case .subquery(let node): node.shift.anchor
      default: nil
      }
    return anchor == .start || anchor == .end || children.contains(where: \.holdsStartOrEnd)
  }
}

/// Compares what a query gave with what a script expects.
struct ScriptComparison {
  private let eval: Script.Eval
  private static let relativeTolerance = 1e-6

  init(_ eval: Script.Eval) { self.eval = eval }

  /// What is wrong with the value, or nil.
  func mismatch(of value: QueryValue) -> String? {
    switch (value, eval.result) {
    case (.scalar(let given), .scalar(let expected)):
      return Self.areEqual(given, expected) ? nil : "expected \(Self.text(expected)), got \(Self.text(given))"
    case (.string(let given), .string(let expected)):
      return given == expected ? nil : "expected \(quoted(expected)), got \(quoted(given))"
    case (.vector(let given), .series(let expected)): return mismatch(of: given, expected)
    case (.matrix(let given), .series(let expected)):
      guard case .range(let start, _, let step) = eval.moment else {
        return "got a range vector; say so with: expect range vector from START to END step STEP"
      }
      return mismatch(of: given, expected, from: start, step: step)
    case (.matrix(let given), .ranges(let start, let step, let expected)):
      return mismatch(of: given, expected, from: start, step: step)
    // A range query shows a scalar as a series without labels.
    case (.matrix, .scalar(let expected)): return "expected the scalar \(Self.text(expected)), got a matrix"
    case (let given, _): return "got \(given.described)"
    }
  }

  /// What is wrong with the annotations, or nil.
  func mismatchOfAnnotations(_ annotations: [Annotation]) -> String? {
    for (level, kind, none) in [
      (Annotation.Level.warning, Script.Expectation.Kind.warn, Script.Expectation.Kind.noWarning),
      (.info, .info, .noInfo),
    ] {
      // As in Prometheus' tests, where they stand in the query is no part of the text.
      let given = annotations.filter { $0.level == level }.map(\.description)
      let expected = eval.expectations.filter { $0.kind == kind }
      if let extra = given.first, eval.expectations.contains(where: { $0.kind == none }) {
        return "unexpected annotation: \(extra)"
      }
      for expectation in expected where !given.contains(where: expectation.accepts) {
        return "expected another \(kind.rawValue) annotation, got \(given)"
      }
      if !expected.isEmpty, let extra = given.first(where: { text in !expected.contains { $0.accepts(text) } }) {
        return "unexpected annotation: \(extra)"
      }
    }
    return nil
  }

  private func mismatch(of given: [VectorSample], _ expected: [SeriesNotation]) -> String? {
    for (index, sample) in given.enumerated() {
      guard let place = expected.firstIndex(where: { $0.labels == sample.labels }) else {
        return "unexpected \(sample.labels) \(Self.text(sample.value))"
      }
      if eval.isOrdered, place != index { return "\(sample.labels) is at place \(index + 1), not at \(place + 1)" }
      guard let value = expected[place].values.first ?? nil, Self.areEqual(sample.value, value) else {
        let wanted = (expected[place].values.first ?? nil).map(Self.text) ?? "no value"
        return "\(sample.labels): expected \(wanted), got \(Self.text(sample.value))"
      }
    }
    return missing(expected, given.map(\.labels))
  }

  private func mismatch(
    of given: [Series], _ expected: [SeriesNotation], from start: Int64, step: Int64
  ) -> String? {
    for series in given {
      guard let wanted = expected.first(where: { $0.labels == series.labels }) else {
        return "unexpected \(series.labels)"
      }
      let samples = wanted.samples(stepMilliseconds: step).map {
        Sample(timestampMilliseconds: $0.timestampMilliseconds + start, value: $0.value)
      }
      let isEqual =
        samples.count == series.samples.count
        && zip(samples, series.samples).allSatisfy {
          $0.timestampMilliseconds == $1.timestampMilliseconds && Self.areEqual($0.value, $1.value)
        }
      if !isEqual { return "\(series.labels): expected \(Self.text(samples)), got \(Self.text(series.samples))" }
    }
    return missing(expected, given.map(\.labels))
  }

  private func missing(_ expected: [SeriesNotation], _ given: [Labels]) -> String? {
    let given = Set(given)
    return expected.first { !given.contains($0.labels) && $0.values.contains { $0 != nil } }.map {
      "missing \($0.labels)"
    }
  }

  private static func areEqual(_ a: Double, _ b: Double) -> Bool {
    a.isAlmostEqual(to: b, relativeTolerance: relativeTolerance)
  }

  private static func text(_ value: Double) -> String { NumberSyntax.decimal(value) }

  private static func text(_ samples: [Sample]) -> String {
    "["
      + samples.prefix(50).map { "\(text($0.value)) @ \(text(Double($0.timestampMilliseconds) / 1000))" }
      .joined(separator: ", ") + "]"
  }
}

extension QueryValue {
  /// In a few words.
  var described: String {
    switch self {
    case .scalar(let value): "the scalar \(NumberSyntax.decimal(value))"
    case .string(let text): "the string \(quoted(text))"
    case .vector(let samples):
      samples.isEmpty ? "an empty vector" : "a vector of \(samples.count), first \(samples[0].labels)"
    case .matrix(let series):
      series.isEmpty ? "an empty matrix" : "a matrix of \(series.count), first \(series[0].labels)"
    }
  }
}
