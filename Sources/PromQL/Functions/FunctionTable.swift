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
    if ofNativeHistograms.contains(name) {
      return .failure(
        Refusal(message: "\(name) works on native histograms, which are not supported here", isUnsupported: true))
    }
    if experimental.contains(name) {
      return .failure(
        Refusal(message: "\(name) is experimental in Prometheus and not supported here", isUnsupported: true))
    }
    let similar = byName.keys.filter { isSimilar($0, name) }.min()
    let hint = similar.map { "; did you mean \($0)?" } ?? ""
    return .failure(Refusal(message: "unknown function \(quoted(name))\(hint)"))
  }

  private static let ofNativeHistograms: Set<String> = [
    "histogram_avg", "histogram_count", "histogram_quantiles", "histogram_stddev",
    "histogram_stdvar", "histogram_sum",
  ]
  private static let experimental: Set<String> = [
    "end", "first_over_time", "info", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc", "start",
    "start_timestamp", "step", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
    "ts_of_min_over_time",
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
