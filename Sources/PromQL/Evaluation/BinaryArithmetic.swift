import Glibc

extension BinaryOperator {
  /// The value of an arithmetic operator; of a comparison whether it holds, as 1 or 0.
  @inline(__always)
  func result(_ left: Double, _ right: Double) -> Double {
    switch self {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .modulo: fmod(left, right)
    case .power: pow(left, right)
    case .atan2: Glibc.atan2(left, right)
    default: holds(left, right) ? 1 : 0
    }
  }

  /// Whether a comparison holds.
  @inline(__always)
  func holds(_ left: Double, _ right: Double) -> Bool {
    switch self {
    case .equal: left == right
    case .notEqual: left != right
    case .greater: left > right
    case .less: left < right
    case .greaterOrEqual: left >= right
    case .lessOrEqual: left <= right
    default: false
    }
  }

  /// The value between elements of vectors: a comparison without `bool` keeps `kept` where it holds.
  @inline(__always)
  func element(_ left: Double, _ right: Double, returnsBool: Bool, kept: Double) -> Double {
    if !isComparison || returnsBool { return result(left, right) }
    return holds(left, right) ? kept : .absent
  }
}

extension Expression.Binary {
  /// What is computed is no longer the metric; Prometheus 2 forgot that of atan2.
  func dropsMetricName(in dialect: Dialect) -> Bool {
    if operation == .atan2, dialect == .prometheus2 { return false }
    return operation.isArithmetic || returnsBool
  }
}
