import PromQL

/// How the values of a label are written where not all of them are known: `db0`, `99.0`, names in lower case.
public enum LabelForm: Sendable {
  /// `db` and the number of a database.
  case database
  /// Names without capital letters, as Redis gives those of commands.
  case lowercase
  /// The number of a percentile, in percent: `99`.
  case percentile
  /// The upper bound of a bucket.
  case edge

  /// What is wrong with a value that never occurs: the reason, and the value that is meant, where that can be said.
  func problem(with value: String, dialect: Dialect) -> (reason: String, meant: String?)? {
    switch self {
    case .database:
      let number = value.hasPrefix("db") ? value.dropFirst(2) : value[...]
      let isNumber = !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
      if value.hasPrefix("db"), isNumber { return nil }
      return ("databases are called db0, db1 and so on", isNumber ? "db\(number)" : nil)
    case .lowercase:
      let lower = value.lowercased()
      return lower == value ? nil : ("names of commands are in lower case", lower)
    case .percentile:
      guard let number = Self.number(value) else { return ("it is a number, in percent", nil) }
      if number > 0, number < 1, Self.usualPercentiles.contains(number * 100) {
        return ("it is in percent", Self.stored(number * 100, dialect))
      }
      return Self.problem(withNumber: number, value, dialect)
    case .edge:
      guard let number = Self.number(value) else { return ("it is the upper bound of a bucket, a number or +Inf", nil) }
      // Prometheus 2 keeps bounds as each page writes them.
      return dialect == .prometheus2 && number.isFinite ? nil : Self.problem(withNumber: number, value, dialect)
    }
  }

  /// Whether two values are the same number: a rule that names both is written for both majors of Prometheus.
  func means(_ value: String, by other: String) -> Bool {
    switch self {
    case .percentile, .edge: Self.number(value) != nil && Self.number(value) == Self.number(other)
    case .database, .lowercase: false
    }
  }

  private static let usualPercentiles: Set<Double> = [50, 99, 99.9]

  private static func problem(
    withNumber number: Double, _ value: String, _ dialect: Dialect
  ) -> (reason: String, meant: String?)? {
    let stored = stored(number, dialect)
    if value == stored { return nil }
    guard number.isFinite else { return ("it is written \(stored)", stored) }
    let other = Self.stored(number, dialect == .prometheus2 ? .prometheus3 : .prometheus2)
    guard value == other else { return ("it is written \(stored)", stored) }
    return dialect == .prometheus3
      ? ("Prometheus 3 and redline keep it as \(stored), Prometheus 2 as \(other)", "\(other)|\(stored)")
      : ("Prometheus 2 keeps it as the page writes it, \(stored); Prometheus 3 as \(other)", "\(stored)|\(other)")
  }

  private static func stored(_ number: Double, _ dialect: Dialect) -> String {
    let text = GoNumber.plain(number)
    guard dialect == .prometheus3, number.isFinite else { return text }
    return text.contains(".") || text.contains("e") ? text : text + ".0"
  }

  private static func number(_ text: String) -> Double? {
    switch text {
    case "+Inf", "Inf": .infinity
    default: text.allSatisfy({ "0123456789.+-eE".contains($0) }) ? Double(text) : nil
    }
  }
}

extension LabelMatcher {
  /// The values that it names one by one, numbers with an unescaped dot among them; nil for any other pattern.
  var namedValues: [String]? {
    switch comparison {
    case .equal, .notEqual: return [value]
    case .matches, .matchesNot:
      var pattern = value[...]
      if pattern.first == "(", pattern.last == ")" { pattern = pattern.dropFirst().dropLast() }
      let values = pattern.split(separator: "|", omittingEmptySubsequences: false).map {
        String($0).replacing("\\.", with: ".").replacing("\\+Inf", with: "+Inf")
      }
      let arePlain = values.allSatisfy { value in
        !value.isEmpty && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
          || value == "+Inf"
      }
      return arePlain ? values : nil
    }
  }
}
