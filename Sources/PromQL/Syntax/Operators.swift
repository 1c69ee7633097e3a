public enum BinaryOperator: String, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case power = "^"
  case atan2
  case equal = "=="
  case notEqual = "!="
  case greater = ">"
  case less = "<"
  case greaterOrEqual = ">="
  case lessOrEqual = "<="
  case and
  case or
  case unless

  public var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
    default: false
    }
  }

  public var isSetOperator: Bool { self == .and || self == .or || self == .unless }
  public var isArithmetic: Bool { !isComparison && !isSetOperator }

  /// Higher binds tighter.
  var precedence: Int {
    switch self {
    case .or: 1
    case .and, .unless: 2
    case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .modulo, .atan2: 5
    case .power: 6
    }
  }

  /// That of the signs in `-a * b`: below `^`, and as tight as `*`.
  static let signPrecedence = 5

  var isRightAssociative: Bool { self == .power }

  init?(_ token: Token) {
    switch token.kind {
    case .symbol(let symbol): self.init(rawValue: symbol.rawValue)
    case .identifier: self.init(rawValue: token.text.lowercased())
    default: return nil
    }
  }
}

/// Which series of two vectors belong together.
public struct VectorMatching: Sendable, Equatable {
  public enum Cardinality: Sendable {
    case oneToOne
    /// `group_left`
    case manyToOne
    /// `group_right`
    case oneToMany
    /// Of set operators.
    case manyToMany
  }

  public var cardinality = Cardinality.oneToOne
  /// `on` lists the labels that must agree, `ignoring` those that need not.
  public var isOn = false
  public var labels: [String] = []
  /// What `group_left` and `group_right` copy from the one side.
  public var included: [String] = []
}

public enum Aggregator: String, Sendable, CaseIterable {
  case sum
  case avg
  case count
  case min
  case max
  case group
  case stddev
  case stdvar
  case topk
  case bottomk
  case countValues = "count_values"
  case quantile

  /// What the argument in front of the vector has to be, where there is one.
  public var parameter: ValueType? {
    switch self {
    case .topk, .bottomk, .quantile: .scalar
    case .countValues: .string
    default: nil
    }
  }
}
