import PromQL

/// Durations as rule files write them: `1h30m`, units from the largest to the smallest, each once.
enum RuleDuration {
  /// Milliseconds, or nil when the text is no duration or longer than 292 years.
  static func milliseconds(_ text: String) -> Int64? { text == "0" ? 0 : NumberSyntax.durationMilliseconds(text) }

  static func text(milliseconds: Int64) -> String { NumberSyntax.duration(milliseconds: milliseconds) }
}
