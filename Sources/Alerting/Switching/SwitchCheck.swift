import PromQL

/// What a switch to Redline does to the rules and dashboards of somebody's: what is judged from the two pages, and what has to
/// be read of the past to replay the rules.
public struct SwitchCheck: Sendable {
  public let comparison: SeriesComparison
  public let targets: [SwitchTarget]
  /// Groups with the rules that read Redis, directly or through what others record.
  public let groups: [RuleGroup]
  /// Queries with what becomes of each of their selectors.
  let judged: [JudgedQuery]
  let refused: [UserQuery]
  private let recorded: Set<String>

  struct JudgedQuery: Sendable {
    let query: UserQuery
    let selectors: [(selector: Expression.Selector, judgement: SelectorJudgement)]
  }

  public init(
    comparison: SeriesComparison, targets: [SwitchTarget], rules: PrometheusAnswer.Rules,
    dashboards: [GrafanaDashboard]
  ) {
    self.comparison = comparison
    self.targets = targets
    func judged(_ query: UserQuery) -> JudgedQuery {
      JudgedQuery(
        query: query,
        selectors: (query.expression?.selectors ?? []).map {
          ($0, comparison.judgement(of: $0, targets: targets, listedLabel: query.listedLabel))
        })
    }
    // Whatever reads what such a rule records reads Redis, too.
    var recorded: Set<String> = []
    var touched: Set<String> = []
    let all = rules.groups.flatMap { group in group.rules.map { (UserQuery($0, of: group), $0) } }
    var judgements = all.map { judged($0.0) }
    for (query, judgement) in zip(all, judgements) where judgement.isOfRedis {
      touched.insert(query.0.title)
      if query.0.kind == .recording { recorded.insert(query.0.name) }
    }
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for (query, _) in all where !touched.contains(query.title) {
        guard query.expression?.selectors.contains(where: { $0.name.map(recorded.contains) ?? false }) ?? false else {
          continue
        }
        touched.insert(query.title)
        if query.kind == .recording { recorded.insert(query.name) }
        isGrowing = true
      }
    }
    judgements.removeAll { !touched.contains($0.query.title) }
    groups = rules.groups.compactMap { group in
      let kept = group.rules.filter { touched.contains(UserQuery($0, of: group).title) }
      guard !kept.isEmpty else { return nil }
      return RuleGroup(
        file: group.file, name: group.name, intervalMilliseconds: group.intervalMilliseconds,
        queryOffsetMilliseconds: group.queryOffsetMilliseconds, limit: group.limit, rules: kept, mark: group.mark)
    }
    self.recorded = recorded
    let namespace = "\(comparison.namespace)_"
    let drawn = dashboards.flatMap(\.queries)
    self.judged =
      judgements
      + drawn.map(judged).filter { judgement in
        judgement.isOfRedis
          || judgement.selectors.contains { $0.selector.name.map(recorded.contains) ?? false }
      }
    refused =
      rules.refused.filter { $0.text.contains(namespace) }
      + drawn.filter { $0.expression == nil && $0.text.contains(namespace) }
  }

  public var oldTargetCount: Int { targets.count { !$0.isRedline } }
  /// Of redis_exporter's targets, those that Redline is scraped beside.
  public var pairedTargetCount: Int { SwitchHistory(targets, comparison: comparison).pairedCount }

  // MARK: The past

  /// One selector that has to be read of the past.
  public struct Reading: Sendable {
    public let selector: String
    /// How long before the first evaluation.
    public let reachMilliseconds: Int64
  }

  /// Everything that the rules read, but what they record themselves. Matchers on labels of the targets are left out, so that
  /// Redline's series come, too, by whatever job it is scraped.
  public var readings: [Reading] {
    let targetLabels = SwitchTarget.labelNames(targets)
    var reaches: [String: Int64] = [:]
    for reach in groups.flatMap(\.rules).flatMap({ $0.query.reaches() }) {
      let name = reach.matchers.first { $0.name == Labels.metricName && $0.comparison == .equal }?.value
      if let name, recorded.contains(name) { continue }
      let isOfRedis = name.map(comparison.serves) ?? false
      let matchers = isOfRedis ? reach.matchers.filter { !targetLabels.contains($0.name) } : reach.matchers
      let selector = "{\(matchers.map(\.description).sorted().joined(separator: ","))}"
      reaches[selector] = max(reaches[selector] ?? 0, reach.milliseconds ?? 0)
    }
    let jobs = Set(targets.compactMap { $0.labels["job"] }).sorted().map(Self.escaped).joined(separator: "|")
    if !jobs.isEmpty, let up = try? LabelMatcher("job", .matches, jobs) { reaches["{__name__=\"up\",\(up)}"] = 300_000 }
    return reaches.map { Reading(selector: $0.key, reachMilliseconds: $0.value) }.sorted { $0.selector < $1.selector }
  }

  private static func escaped(_ text: String) -> String {
    text.map { character in
      "\\.+*?()[]{}^$|".contains(character) ? "\\\(character)" : "\(character)"
    }.joined()
  }

  /// How long before the comparison the rules have to be evaluated, so that what is pending then is known, and what they
  /// record that others look back over.
  public var warmUpMilliseconds: Int64 {
    let rules = groups.flatMap(\.rules)
    let pending: Int64 = rules.reduce(0) { longest, rule in
      if case .alerting(let alert) = rule { max(longest, alert.forMilliseconds) } else { longest }
    }
    let reaches = rules.flatMap { $0.query.reaches() }.filter { reach in
      reach.matchers.contains { $0.name == Labels.metricName && recorded.contains($0.value) }
    }
    return pending + (reaches.compactMap(\.milliseconds).max() ?? 0)
  }
}

extension SwitchCheck.JudgedQuery {
  fileprivate var isOfRedis: Bool { selectors.contains { $0.judgement.effect != .foreign } }
}
