import PromQL

/// Which names rules may give to metrics, labels and annotations.
enum RuleName {
  /// What is wrong with a label's name, as the end of a sentence; nil when it can be used.
  static func problem(label name: String, dialect: Dialect) -> String? {
    if name == Labels.metricName { return "cannot be set by a rule; it is the metric's name" }
    return problem(annotation: name, dialect: dialect)
  }

  static func problem(annotation name: String, dialect: Dialect) -> String? {
    if name.isEmpty { return "is empty" }
    if dialect == .prometheus3 || matches(name, colons: false) { return nil }
    return "is no name of Prometheus 2: letters, digits and underscores"
  }

  static func problem(metric name: String, dialect: Dialect) -> String? {
    if name.contains("{") || name.contains("}") {
      return "is not a metric name; labels belong under labels, an expression under expr"
    }
    if dialect == .prometheus3 || matches(name, colons: true) { return nil }
    return "is not a metric name of Prometheus 2: letters, digits, underscores and colons"
  }

  private static func matches(_ name: String, colons: Bool) -> Bool {
    for (index, byte) in name.utf8.enumerated() {
      let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      guard isLetter || byte == UInt8(ascii: "_") || (colons && byte == UInt8(ascii: ":")) || (isDigit && index > 0)
      else { return false }
    }
    return !name.isEmpty
  }
}
