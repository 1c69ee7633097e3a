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

  /// The query in one line and one style.
  public var description: String { expression.description }

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
