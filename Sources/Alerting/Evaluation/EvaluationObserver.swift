import Metrics
import PromQL

/// Is told what rules are evaluated over, and when, so that it can be done again later. It must not wait.
public struct EvaluationObserver: Sendable {
  /// A page that goes into the series store, the values that are taken of it, and its time in milliseconds since 1970.
  public let page: @Sendable (Registry.Page, PageValues, Int64) -> Void
  /// Rules of a group are evaluated now, at a time in milliseconds since 1970: all, or those alerting ones at the places.
  public let evaluation: @Sendable (RuleGroup, Int64, Set<Int>?) -> Void
  /// The clock of evaluations was set, by so many milliseconds.
  public let shift: @Sendable (Int64) -> Void

  public init(
    page: @escaping @Sendable (Registry.Page, PageValues, Int64) -> Void,
    evaluation: @escaping @Sendable (RuleGroup, Int64, Set<Int>?) -> Void, shift: @escaping @Sendable (Int64) -> Void
  ) {
    self.page = page
    self.evaluation = evaluation
    self.shift = shift
  }
}

extension GroupEvaluator.Scope {
  /// The alerting rules that it is for; nil for all rules.
  func places(in group: RuleGroup) -> Set<Int>? {
    switch self {
    case .all: nil
    case .only(let places): places
    case .alerting: Set(group.rules.indices.filter { includes(group.rules[$0], at: $0) })
    }
  }
}

extension RuleFile {
  /// Whether a rule of the files reads a metric, by its full name.
  public static func reader(of files: [RuleFile], _ options: RuleEngine.Options) -> @Sendable (String) -> Bool {
    var options = options
    options.retentionMilliseconds = nil
    let policy = HistoryPolicy(files, options)
    return { policy.isRead($0) }
  }
}
