import PromQL

extension RuleEngine {
  /// What a configuration says of the evaluation.
  public struct Options: Sendable, Equatable {
    public var intervalMilliseconds: Int64 = 15_000
    public var scrapeMilliseconds: Int64 = 5_000
    public var queryOffsetMilliseconds: Int64 = 0
    public var resendDelayMilliseconds: Int64 = 60_000
    /// For every series; nil keeps only what rules read.
    public var retentionMilliseconds: Int64?
    public var sampleBytes = 2 << 30
    public var dialect = Dialect.prometheus3
    public var externalLabels: [String: String] = [:]
    public var externalURL = ""
    /// The labels of series that have none of these.
    public var job = "redline"
    public var instance = "localhost:9121"
    public var namespace = "redis"
    /// Full names of metrics whose changes are events: alerting rules that read any are then evaluated at once.
    public var eventMetrics: Set<String> = []

    public init() {}
  }
}

extension HistoryPolicy {
  /// What rules look back over, and what the configuration asks for on top.
  init(_ files: [RuleFile], _ options: RuleEngine.Options) {
    self.init()
    var query = QueryOptions()
    query.subqueryStepMilliseconds = options.intervalMilliseconds
    for rule in files.flatMap(\.groups).flatMap(\.rules) {
      keep(rule.query, options: query)
      guard case .alerting(let rule) = rule else { continue }
      for template in Array(rule.annotations.values) + Array(rule.labels.values) {
        for text in template.queryTexts {
          if let asked = try? Query(text, dialect: options.dialect) { keep(asked, options: query) }
        }
      }
    }
    if let retention = options.retentionMilliseconds { keepAll(forMilliseconds: retention) }
  }
}
