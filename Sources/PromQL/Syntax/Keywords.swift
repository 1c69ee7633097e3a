/// The words that mean something of their own; upper and lower case are alike.
enum Keyword: String {
  case bool, by, without, on, ignoring, offset, start, end
  case groupLeft = "group_left"
  case groupRight = "group_right"

  init?(_ token: Token) {
    guard token.kind == .identifier else { return nil }
    self.init(rawValue: token.text.lowercased())
  }

  /// Keywords that cannot be the name of a metric.
  static let reserved: Set<String> = ["bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan"]

  /// What Prometheus has behind a feature flag, or only for native histograms.
  static let refusedAggregators: Set<String> = ["limitk", "limit_ratio"]
  static let refusedModifiers: Set<String> = ["anchored", "smoothed"]
  static let ofDurations: Set<String> = ["step", "range", "min_of", "max_of"]
  static let refusedMatchings: Set<String> = ["fill", "fill_left", "fill_right"]
}
