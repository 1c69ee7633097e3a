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
      if let mismatch = comparison.mismatch(of: result.value) ?? comparison.mismatch(of: result, query) {
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
