/// A function of the language: its name, what it takes and gives, and how it is computed.
public struct Function: Sendable {
  public let name: String
  /// The types of the arguments; the last one's holds for all that follow.
  public let arguments: [ValueType]
  public let argumentCounts: ClosedRange<Int>
  public let result: ValueType
  /// The dialects that know the function.
  let dialects: [Dialect]
  let implementation: Implementation

  enum Implementation: Sendable {
    /// A vector's values one by one; the metric's name is dropped.
    case perValue(@Sendable (Double) -> Double)
    /// As `perValue`, with the scalar arguments, which may leave the value out by giving nil.
    case perValueWithScalars(@Sendable (Double, [Double]) -> Double?)
    /// Of a vector's values as times, or of the evaluation's time without an argument.
    case perTime(@Sendable (CivilTime) -> Int)
    /// Of each range that holds a sample, with the scalar arguments; nil leaves the element out.
    case perWindow(@Sendable (Window, [Double]) throws -> Double?)
    case special(@Sendable (Evaluation, Expression.Call, Steps) throws -> Evaluation.Value)
  }

  init(
    _ name: String, _ arguments: [ValueType], counts: ClosedRange<Int>? = nil, result: ValueType = .vector,
    dialects: [Dialect] = Dialect.allCases, _ implementation: Implementation
  ) {
    self.name = name
    self.arguments = arguments
    argumentCounts = counts ?? arguments.count...arguments.count
    self.result = result
    self.dialects = dialects
    self.implementation = implementation
  }

  func type(ofArgument index: Int) -> ValueType { arguments[min(index, arguments.count - 1)] }
}

/// Every function, by name.
public enum FunctionTable {
  public static let all: [Function] =
    RateFunctions.all + OverTimeFunctions.all + RegressionFunctions.all + ValueFunctions.all + TimeFunctions.all
    + VectorFunctions.all + LabelFunctions.all + HistogramFunctions.all

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Why a name cannot be called.
  struct Refusal: Error {
    let message: String
    var isUnsupported = false
  }

  static func lookUp(_ name: String, dialect: Dialect) -> Result<Function, Refusal> {
    if let function = byName[name] {
      if function.dialects.contains(dialect) { return .success(function) }
      return .failure(Refusal(message: "\(name) does not exist in dialect \(dialect.rawValue)"))
    }
    if experimental.contains(name) {
      return .failure(
        Refusal(message: "\(name) is experimental in Prometheus and not supported here", isUnsupported: true))
    }
    let similar = byName.keys.filter { isSimilar($0, name) }.min()
    let hint = similar.map { "; did you mean \($0)?" } ?? ""
    return .failure(Refusal(message: "unknown function \(quoted(name))\(hint)"))
  }

  private static let experimental: Set<String> = [
    "end", "first_over_time", "histogram_quantiles", "info", "max_of", "min_of", "range", "sort_by_label",
    "sort_by_label_desc", "start", "start_timestamp", "step", "ts_of_first_over_time", "ts_of_last_over_time",
    "ts_of_max_over_time", "ts_of_min_over_time",
  ]

  /// The same letters but for upper and lower case, or for one that is missing, added or another.
  private static func isSimilar(_ known: String, _ name: String) -> Bool {
    let (a, b) = (Array(known.utf8), Array(name.lowercased().utf8))
    guard abs(a.count - b.count) <= 1 else { return false }
    let prefix = zip(a, b).prefix { $0 == $1 }.count
    let suffix = zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
    return prefix + suffix >= max(a.count, b.count) - 1
  }
}
