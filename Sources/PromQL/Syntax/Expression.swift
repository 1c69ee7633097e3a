/// What an expression gives.
public enum ValueType: String, Sendable {
  case scalar
  case vector = "instant vector"
  case matrix = "range vector"
  case string
}

/// A query as a tree. Every node knows its place in the text.
public indirect enum Expression: Sendable {
  case number(NumberLiteral)
  case string(StringLiteral)
  case selector(Selector)
  case range(RangeSelector)
  case subquery(Subquery)
  case call(Call)
  case aggregation(Aggregation)
  case binary(Binary)
  case unary(Unary)
  case parentheses(Parentheses)

  public struct NumberLiteral: Sendable {
    public let value: Double
    /// Written as a duration, such as `10m`.
    public let isDuration: Bool
    public let place: SourceRange
  }

  public struct StringLiteral: Sendable {
    public let value: String
    public let place: SourceRange
  }

  /// The series that every matcher matches, at one time.
  public struct Selector: Sendable {
    /// The name as written in front of the braces; it is among the matchers too.
    public let metricName: String?
    public let matchers: [LabelMatcher]
    public var shift = TimeShift()
    public var place: SourceRange
  }

  /// `selector[5m]`
  public struct RangeSelector: Sendable {
    public var selector: Selector
    public let rangeMilliseconds: Int64
    public var place: SourceRange
  }

  /// `expression[1h:1m]`
  public struct Subquery: Sendable {
    public let expression: Expression
    public let rangeMilliseconds: Int64
    /// Nil asks for the evaluation interval.
    public let stepMilliseconds: Int64?
    public var shift = TimeShift()
    public var place: SourceRange
  }

  public struct Call: Sendable {
    public let function: Function
    public let arguments: [Expression]
    public let place: SourceRange
  }

  /// `sum by (job) (expression)`
  public struct Aggregation: Sendable {
    public let aggregator: Aggregator
    /// The first argument of those that take two.
    public let parameter: Expression?
    public let expression: Expression
    /// In the order written.
    public let grouping: [String]
    /// The grouping lists what is dropped, not what is kept.
    public let isWithout: Bool
    public let place: SourceRange
  }

  public struct Binary: Sendable {
    public let operation: BinaryOperator
    public let left: Expression
    public let right: Expression
    /// `bool`: a comparison gives 0 or 1 and drops nothing.
    public let returnsBool: Bool
    /// Nil unless both sides are instant vectors.
    public let matching: VectorMatching?
    /// The place of the operator itself.
    public let operatorPlace: SourceRange

    public var place: SourceRange { left.place.lowerBound..<right.place.upperBound }
  }

  public struct Unary: Sendable {
    public let isMinus: Bool
    public let expression: Expression
    public let place: SourceRange
  }

  public struct Parentheses: Sendable {
    public let expression: Expression
    public let place: SourceRange
  }
}

/// `offset` and `@`.
public struct TimeShift: Sendable, Equatable {
  public enum Anchor: Sendable, Equatable {
    case milliseconds(Int64)
    /// Start and end of the whole query.
    case start
    case end
  }

  public var offsetMilliseconds: Int64 = 0
  public var anchor: Anchor?
}

extension Expression {
  public var place: SourceRange {
    switch self {
    case .number(let node): node.place
    case .string(let node): node.place
    case .selector(let node): node.place
    case .range(let node): node.place
    case .subquery(let node): node.place
    case .call(let node): node.place
    case .aggregation(let node): node.place
    case .binary(let node): node.place
    case .unary(let node): node.place
    case .parentheses(let node): node.place
    }
  }

  public var type: ValueType {
    switch self {
    case .number: .scalar
    case .string: .string
    case .selector, .aggregation: .vector
    case .range, .subquery: .matrix
    case .call(let node): node.function.result
    case .binary(let node): node.left.type == .scalar && node.right.type == .scalar ? .scalar : .vector
    case .unary(let node): node.expression.type
    case .parentheses(let node): node.expression.type
    }
  }

  /// The operands, in the order of the text.
  public var children: [Expression] {
    switch self {
    case .number, .string, .selector: []
    case .range(let node): [.selector(node.selector)]
    case .subquery(let node): [node.expression]
    case .call(let node): node.arguments
    case .aggregation(let node): (node.parameter.map { [$0] } ?? []) + [node.expression]
    case .binary(let node): [node.left, node.right]
    case .unary(let node): [node.expression]
    case .parentheses(let node): [node.expression]
    }
  }

  /// What is inside any number of parentheses.
  public var unwrapped: Expression {
    if case .parentheses(let node) = self { return node.expression.unwrapped }
    return self
  }
}
