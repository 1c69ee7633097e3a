import Runtime

/// A query that was read and checked, ready to be evaluated any number of times.
public struct Query: Sendable, CustomStringConvertible {
  public let text: String
  public let expression: Expression
  public let dialect: Dialect

  /// Throws at the first thing that is wrong, with its place.
  public init(
    _ text: String, dialect: Dialect = .prometheus3, origin: QueryOrigin = .query
  ) throws(QuerySyntaxError) {
    self.text = text
    self.dialect = dialect
    expression = try Parser.parse(text, dialect: dialect, origin: origin)
  }

  /// The query in one line and one style, as its dialect of Prometheus prints it.
  public var description: String { QueryPrinter(dialect: dialect).line(expression) }
  /// As `description`, on several lines where it is long.
  public var formatted: String { QueryPrinter(dialect: dialect).lines(expression) }

  /// The value at one moment. Throws `EvaluationError`, and whatever `source` throws.
  public func value(
    atMilliseconds time: Int64, in source: any SeriesSource, options: QueryOptions = QueryOptions()
  ) throws -> QueryResult {
    let evaluation = try Evaluation(
      self, steps: Steps(startMilliseconds: time, intervalMilliseconds: 1, count: 1), endMilliseconds: time,
      source: source, options: options)
    let value = try evaluation.instantValue()
    return QueryResult(value: value, annotations: evaluation.annotations.list, sampleCount: evaluation.sampleCount)
  }

  /// The values from `start` through `end`, every `step`: always a matrix. A scalar is a series without labels.
  public func values(
    fromMilliseconds start: Int64, throughMilliseconds end: Int64, stepMilliseconds step: Int64,
    in source: any SeriesSource, options: QueryOptions = QueryOptions()
  ) throws -> QueryResult {
    guard step > 0 else { throw EvaluationError("the step of a range query must be greater than 0") }
    guard end >= start else { throw EvaluationError("the end of a range query must not be before its start") }
    guard expression.type == .scalar || expression.type == .vector else {
      throw EvaluationError("a range query needs a scalar or an instant vector, not a \(expression.type.rawValue)")
    }
    let steps = Steps(startMilliseconds: start, intervalMilliseconds: step, endMilliseconds: end)
    let evaluation = try Evaluation(
      self, steps: steps, endMilliseconds: end, source: source, options: options)
    let matrix = try evaluation.matrix()
    return QueryResult(
      value: .matrix(matrix), annotations: evaluation.annotations.list, sampleCount: evaluation.sampleCount)
  }
}

public struct QueryOptions: Sendable {
  /// How far back a selector without a range looks for the newest sample.
  public var lookbackMilliseconds: Int64 = 300_000
  /// The step of a subquery that names none: the evaluation interval.
  public var subqueryStepMilliseconds: Int64 = 60_000
  public var limits = QueryLimits()
  /// Where the memory comes from that the evaluation holds; nil for a query that is trusted.
  public var reservation: QueryReservation?

  public init() {}
}

/// What one evaluation may cost; past a limit it ends with an error that names it.
public struct QueryLimits: Sendable {
  /// Samples read and values computed, all steps and all parts of the query together.
  public var samples = 50_000_000
  public var seconds = 120.0

  public init() {}
}

public struct QueryResult: Sendable {
  public let value: QueryValue
  /// What the author of the query should know, each once.
  public let annotations: [Annotation]
  /// Samples read and values computed: what ``QueryLimits/samples`` bounds.
  public let sampleCount: Int
}

public enum QueryValue: Sendable {
  case scalar(Double)
  case string(String)
  /// In the order that sort, topk and their like gave; free otherwise.
  case vector([VectorSample])
  case matrix([Series])
}

/// One element of an instant vector.
public struct VectorSample: Sendable {
  public let labels: Labels
  public let value: Double
}

/// Why an evaluation gave no value.
public struct EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// In Prometheus' words where it has some.
  public let message: String
  /// What it is about, such as a series.
  public let detail: String?
  public let cause: Cause

  public enum Cause: Sendable {
    /// What the query says, or what it costs.
    case query
    /// The time was used up; more of it may help.
    case time
    /// Other queries hold the memory; later may help.
    case otherQueries
  }

  public init(_ message: String, detail: String? = nil) { self.init(message, detail, .query) }

  private init(_ message: String, _ detail: String?, _ cause: Cause) {
    self.message = message
    self.detail = detail
    self.cause = cause
  }

  static func timedOut(limitSeconds: Double) -> EvaluationError {
    EvaluationError("the query took longer than \(NumberSyntax.decimal(limitSeconds)) s", nil, .time)
  }

  static func crowded(limitBytes: Int) -> EvaluationError {
    EvaluationError("all queries together hold \(limitBytes >> 20) MiB already; try again later", nil, .otherQueries)
  }

  public var description: String { detail.map { "\(message): \($0)" } ?? message }
}

/// A remark on a value that was given all the same.
public struct Annotation: Sendable, Hashable, CustomStringConvertible {
  public enum Level: String, Sendable {
    /// The value may be wrong.
    case warning
    /// The query may not mean what it says.
    case info
  }

  public let level: Level
  public let message: String
  /// The part of the query that it is about.
  public let place: SourceRange

  public var description: String { "PromQL \(level.rawValue): \(message)" }

  /// As Prometheus' API shows it: with line and column of `place` in the text of the query.
  public func description(in query: Query) -> String {
    let place = SourcePlace(of: place.lowerBound, in: query.text)
    return "\(self) (\(place.line + 1):\(place.column + 1))"
  }
}

/// The remarks of one evaluation, each once, in the order they came up.
struct Annotations {
  /// More of them help nobody.
  static let countLimit = 100
  private(set) var list: [Annotation] = []
  private var known: Set<Annotation> = []

  mutating func add(_ level: Annotation.Level, _ message: @autoclosure () -> String, at place: SourceRange) {
    guard list.count < Self.countLimit else { return }
    let annotation = Annotation(level: level, message: message(), place: place)
    if known.insert(annotation).inserted { list.append(annotation) }
  }

  /// A remark on one metric; of what has no name any more it leaves that out.
  mutating func add(
    _ level: Annotation.Level, _ message: @autoclosure () -> String, of labels: Labels, at place: SourceRange
  ) {
    let name = labels[Labels.metricName] ?? ""
    add(level, message() + (name.isEmpty ? "" : " for metric name \(quoted(name))"), at: place)
  }

  mutating func checkQuantile(_ q: Double, at place: SourceRange) {
    if !(q >= 0 && q <= 1) {
      add(.warning, "quantile value should be between 0 and 1, got \(GoNumber.plain(q))", at: place)
    }
  }
}
