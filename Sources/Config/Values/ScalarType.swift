/// Why a text is no value of its type, as the end of a sentence that starts with the text: `is not a duration`.
public struct Mismatch: Error, Sendable, Equatable, CustomStringConvertible {
  public let problem: String
  public let hint: String?
  /// The element at fault, when the text is a list and an error is clearer without the rest of it.
  public let part: String?
  /// Whether the text must not be shown, since it may hold a secret.
  public let isUnshown: Bool

  public init(_ problem: String, hint: String? = nil, part: String? = nil, isUnshown: Bool = false) {
    self.problem = problem
    self.hint = hint
    self.part = part
    self.isUnshown = isUnshown
  }

  /// `"db1=a=b" has more than one =; write dbN=pattern`, for errors outside a file or command line.
  public var description: String {
    (part.map { "\(quoted($0)) " } ?? "") + problem + (hint.map { "; \($0)" } ?? "")
  }
}

/// A type whose values are written as one text, in a YAML field, a flag or an environment variable.
public struct ScalarType<Value: Sendable>: Sendable {
  /// Stands in for a missing or wrong value while the other errors of a file are gathered; never seen outside.
  let placeholder: Value
  let isSecret: Bool
  /// What a value is, for the reference: `duration`.
  let name: String
  /// Which values there are, for the reference: `at least 1s`; empty where the name says it.
  let range: String
  let parse: @Sendable (String) throws(Mismatch) -> Value

  /// A type of one's own. A secret type's text is never shown in an error.
  public init(
    placeholder: Value, isSecret: Bool = false, name: String = "text", range: String = "",
    parse: @escaping @Sendable (String) throws(Mismatch) -> Value
  ) {
    self.placeholder = placeholder
    self.isSecret = isSecret
    self.name = name
    self.range = range
    self.parse = parse
  }

  /// The same type with a further rule on its values; `name` and `range` describe it in the reference.
  public func restricted(
    to isAllowed: @escaping @Sendable (Value) -> Bool, _ problem: String, hint: String? = nil, name: String? = nil,
    range: String? = nil
  ) -> ScalarType {
    let parse = parse
    return ScalarType(
      placeholder: placeholder, isSecret: isSecret, name: name ?? self.name, range: range ?? self.range
    ) { text throws(Mismatch) in
      let value = try parse(text)
      guard isAllowed(value) else { throw Mismatch(problem, hint: hint) }
      return value
    }
  }
}

extension ScalarType<String> {
  public static var string: ScalarType {
    ScalarType(placeholder: "") { text in text }
  }

  public static var nonEmptyString: ScalarType {
    string.restricted(to: { !$0.isEmpty }, "is empty", hint: "give a value or leave the key out")
  }
}

extension ScalarType<Secret> {
  public static var secret: ScalarType {
    ScalarType(placeholder: Secret(""), isSecret: true, name: "secret") { text in Secret(text) }
  }
}

extension ScalarType<Bool> {
  /// `true` and `false`, and YAML 1.1's yes, no, on, off, each also capitalised or in capitals.
  public static var bool: ScalarType {
    ScalarType(placeholder: false, name: "boolean") { text throws(Mismatch) in
      switch text {
      case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
      case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
      default: throw Mismatch("is not a boolean", hint: "use true or false")
      }
    }
  }

  /// The spellings of Go's `strconv.ParseBool`.
  public static var goBool: ScalarType {
    ScalarType(placeholder: false) { text throws(Mismatch) in
      switch text {
      case "1", "t", "T", "true", "TRUE", "True": return true
      case "0", "f", "F", "false", "FALSE", "False": return false
      default: throw Mismatch("is not a boolean", hint: "use true or false")
      }
    }
  }
}

extension ScalarType<Int> {
  public static func int(_ range: ClosedRange<Int>) -> ScalarType {
    ScalarType(placeholder: range.lowerBound, name: "integer", range: boundsText(range)) { text throws(Mismatch) in
      guard let value = Int(text) else { throw Mismatch("is not a whole number", hint: bounds(range)) }
      guard range.contains(value) else { throw Mismatch("is out of range", hint: bounds(range)) }
      return value
    }
  }

  private static func bounds(_ range: ClosedRange<Int>) -> String { "use \(boundsText(range))" }

  private static func boundsText(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  }
}

extension ScalarType<Double> {
  /// A finite number.
  public static var double: ScalarType {
    ScalarType(placeholder: 0, name: "number") { text throws(Mismatch) in
      guard let value = Double(text), value.isFinite else { throw Mismatch("is not a number") }
      return value
    }
  }

  /// A number in (0, limit].
  public static func share(upTo limit: Double) -> ScalarType {
    double.restricted(to: { $0 > 0 && $0 <= limit }, "is out of range", hint: "use more than 0, up to \(limit)")
  }
}

extension ScalarType<Duration> {
  /// A duration within the range.
  public static func duration(_ syntax: DurationSyntax = .extended, _ range: DurationRange = .positive) -> ScalarType {
    ScalarType(placeholder: .zero, name: "duration", range: range.text) { text throws(Mismatch) in
      guard let value = syntax.parse(text) else {
        throw Mismatch("is not a duration", hint: "write a number with its unit, such as 15s, 300ms or 1h30m")
      }
      switch range {
      case .positive where value <= .zero: throw Mismatch("must be more than zero")
      case .nonNegative where value < .zero: throw Mismatch("must not be negative")
      case .atLeast(let least) where value < least: throw Mismatch("is too short", hint: "use at least \(least)")
      default: return value
      }
    }
  }
}

/// Which durations make sense for a field.
public enum DurationRange: Sendable, Equatable {
  case positive, nonNegative
  case atLeast(Duration)

  var text: String {
    switch self {
    case .positive: "more than 0"
    case .nonNegative: "0 or more"
    case .atLeast(let least): "at least \(durationText(least))"
    }
  }
}

extension ScalarType where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of the cases, written exactly as its raw value. `noun` completes `is not …`: `a workload kind`.
  public static func oneOf(
    _ type: Value.Type, noun: String, named name: @escaping @Sendable (Value) -> String = { $0.rawValue }
  ) -> ScalarType {
    let names = Value.allCases.map(name)
    guard let first = Value.allCases.first else { preconditionFailure("\(Value.self) has no cases") }
    return ScalarType(placeholder: first, name: "word", range: orList(names)) { text throws(Mismatch) in
      guard let value = Value.allCases.first(where: { name($0) == text }) else {
        throw Mismatch("is not \(noun)", hint: "use one of \(names.joined(separator: ", "))")
      }
      return value
    }
  }
}

/// Words as code, for the reference: `` `a`, `b` or `c` ``.
func orList(_ words: [String]) -> String {
  let codes = words.map { "`\($0)`" }
  guard let last = codes.last, codes.count > 1 else { return codes.joined() }
  return "\(codes.dropLast().joined(separator: ", ")) or \(last)"
}
