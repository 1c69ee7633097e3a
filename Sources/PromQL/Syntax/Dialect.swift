/// Whose results a query gives where the two major versions of Prometheus differ.
public enum Dialect: String, Sendable, CaseIterable {
  /// Prometheus 2.42, whose promtool Debian 12 ships.
  case prometheus2 = "2.x"
  /// Prometheus 3, the default.
  case prometheus3 = "3.x"

  /// Ranges and lookbacks leave out the sample exactly at their start.
  var hasOpenRanges: Bool { self == .prometheus3 }
  /// `10m` as a number, `1_000`, names in quotes, numbers as durations, `offset 0s`.
  var hasWideSyntax: Bool { self == .prometheus3 }
}
