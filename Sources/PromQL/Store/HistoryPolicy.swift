/// How long the samples of each metric are kept: what rules look back over, and a floor for all.
public struct HistoryPolicy: Sendable, Equatable {
  private struct Pattern: Sendable, Equatable {
    let matcher: LabelMatcher
    var milliseconds: Int64
  }

  /// What every metric is kept for.
  public private(set) var defaultMilliseconds: Int64
  private var byName: [String: Int64] = [:]
  private var patterns: [Pattern] = []
  /// Whether something selects without a name.
  private var readsAll = false

  /// What an instant selector looks back over, with two polls of a minute to spare.
  public static let shortestMilliseconds: Int64 = 7 * 60_000

  /// - Parameter defaultMilliseconds: for metrics without a rule of their own.
  public init(defaultMilliseconds: Int64 = Self.shortestMilliseconds) {
    self.defaultMilliseconds = max(0, defaultMilliseconds)
  }

  /// Everything stays until the process ends.
  public static let everything = HistoryPolicy(defaultMilliseconds: .max / 4)

  /// Keeps a metric for at least so long.
  public mutating func keep(_ name: String, forMilliseconds milliseconds: Int64) {
    byName[name] = max(byName[name] ?? 0, milliseconds)
  }

  /// Keeps every metric for at least so long.
  public mutating func keepAll(forMilliseconds milliseconds: Int64) {
    defaultMilliseconds = max(defaultMilliseconds, milliseconds)
    readsAll = true
  }

  /// Keeps what a selector may find for at least so long: the metrics whose names its matchers on `__name__` all match,
  /// every metric when it has none.
  public mutating func keep(selectedBy matchers: [LabelMatcher], forMilliseconds milliseconds: Int64) {
    let names = matchers.filter { $0.name == Labels.metricName }
    if let exact = names.first(where: { $0.comparison == .equal && !$0.value.isEmpty }) {
      keep(exact.value, forMilliseconds: milliseconds)
    } else if let literals = names.lazy.compactMap(\.literals).first {
      for name in literals { keep(name, forMilliseconds: milliseconds) }
    } else if let narrowing = names.first {
      if let known = patterns.firstIndex(where: { $0.matcher == narrowing }) {
        patterns[known].milliseconds = max(patterns[known].milliseconds, milliseconds)
      } else {
        patterns.append(Pattern(matcher: narrowing, milliseconds: milliseconds))
      }
    } else {
      keepAll(forMilliseconds: milliseconds)
    }
  }

  /// How long a metric is kept; the name is empty for a series without one.
  public func milliseconds(for name: String) -> Int64 {
    patterns.reduce(max(defaultMilliseconds, byName[name] ?? 0)) { longest, pattern in
      pattern.milliseconds > longest && pattern.matcher.matches(value: name) ? pattern.milliseconds : longest
    }
  }

  /// Whether anything said that it reads this metric: what nobody reads need not be stored at all.
  public func isRead(_ name: String) -> Bool {
    readsAll || byName[name] != nil || patterns.contains { $0.matcher.matches(value: name) }
  }

  /// The longest that anything is kept.
  public var longestMilliseconds: Int64 {
    max(defaultMilliseconds, byName.values.max() ?? 0, patterns.map(\.milliseconds).max() ?? 0)
  }
}
