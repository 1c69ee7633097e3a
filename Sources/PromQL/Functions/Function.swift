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
