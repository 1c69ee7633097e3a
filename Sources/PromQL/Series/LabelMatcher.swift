/// A condition on one label. A label that a series lacks counts as empty.
public struct LabelMatcher: Sendable, Equatable, CustomStringConvertible {
  public enum Comparison: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case matches = "=~"
    case matchesNot = "!~"
  }

  public let name: String
  public let comparison: Comparison
  /// The value, or the pattern of an expression.
  public let value: String

  private let nameBytes: [UInt8]
  private let valueBytes: [UInt8]
  private let regex: Regex?

  /// Throws when `value` is to be an expression that RE2 does not accept or that is too long.
  public init(
    _ name: String, _ comparison: Comparison, _ value: String, dotMatchesNewline: Bool = true
  ) throws(RegexError) {
    self.name = name
    self.comparison = comparison
    self.value = value
    nameBytes = Array(name.utf8)
    valueBytes = Array(value.utf8)
    switch comparison {
    case .equal, .notEqual: regex = nil
    case .matches, .matchesNot: regex = try Regex(value, dotMatchesNewline: dotMatchesNewline)
    }
  }

  public static func == (a: LabelMatcher, b: LabelMatcher) -> Bool {
    a.name == b.name && a.comparison == b.comparison && a.valueBytes == b.valueBytes
  }

  public func matches(_ labels: Labels) -> Bool { matches(value: labels.value(of: nameBytes)) }

  /// - Parameter value: the label's value in UTF-8, empty for a label that is absent.
  public func matches(value: ArraySlice<UInt8>) -> Bool {
    switch comparison {
    case .equal: value.elementsEqual(valueBytes)
    case .notEqual: !value.elementsEqual(valueBytes)
    case .matches: regex!.matches(value)
    case .matchesNot: !regex!.matches(value)
    }
  }

  public func matches(value: String) -> Bool { matches(value: Array(value.utf8)[...]) }

  /// True when a series without the label passes, so that an index over the label's values is not enough.
  public var matchesEmpty: Bool { matches(value: []) }

  /// The only values that pass, where the condition is a plain value or a plain alternation such as `a|b`: what an
  /// index can look up. Nil when it is anything else.
  public var literals: [String]? {
    switch comparison {
    case .equal: return [value]
    case .matches:
      guard !value.utf8.contains(where: { Self.special.contains($0) }) else { return nil }
      return value.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    case .notEqual, .matchesNot: return nil
    }
  }

  private static let special = Set("\\.+*?()[]{}^$".utf8)

  public var description: String { LabelNameSyntax.printed(name) + comparison.rawValue + quoted(value) }
}
