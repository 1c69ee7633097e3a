import Config
import PromQL
import Runtime

/// Rules evaluated once more over samples of the past, at recorded times. Pure but for the store that it fills.
public struct RulesReplay {
  /// Series of one source of a page, with their values.
  public struct Source {
    /// Another number where the series are others.
    public let stamp: Int
    public let series: [(name: String, labels: [(name: String, value: String)])]
    public let values: [Double]

    public init(
      stamp: Int, series: [(name: String, labels: [(name: String, value: String)])], values: [Double]
    ) {
      self.stamp = stamp
      self.series = series
      self.values = values
    }
  }

  /// An alert that went from one state to another.
  public struct Change: Sendable, Equatable {
    public let timeMilliseconds: Int64
    public let group: String
    public let labels: Labels
    public let from: AlertState
    public let to: AlertState
    /// When the expression began to hold.
    public let activeAtMilliseconds: Int64
    public let annotations: [String: String]
  }

  private struct KnownSource {
    let origin: SeriesOrigin
    var stamp: Int
    var references: [SeriesReference]
  }

  private let store: SeriesStore
  private let options: RuleEngine.Options
  private let origin: SeriesOrigin
  private let own: SeriesOrigin
  private let evaluator: GroupEvaluator
  private var rules: RuleSet
  private var sources: [Int: KnownSource] = [:]
  /// When groups are evaluated that nobody evaluated then, by their place.
  private var nextTurns: [Int: Int64] = [:]
  /// What happened, in its order.
  public private(set) var changes: [Change] = []
  /// Why rules gave nothing, by their names.
  public private(set) var errors: [String: String] = [:]

  /// - Parameters:
  ///   - files: whose rules are evaluated.
  ///   - known: those that were evaluated then; groups that are not among them take their turns by their intervals.
  public init(_ files: [RuleFile], options: RuleEngine.Options, knownGroups known: Set<String>? = nil) {
    let store = SeriesStore(policy: HistoryPolicy(files, options))
    let origin = store.openOrigin()
    (self.store, self.options, self.origin) = (store, options, origin)
    own = store.openOrigin()
    rules = RuleSet(files)
    var query = QueryOptions()
    query.subqueryStepMilliseconds = options.intervalMilliseconds
    evaluator = GroupEvaluator(
      source: store, options: query, dialect: options.dialect, externalLabels: options.externalLabels,
      externalURL: options.externalURL, queryOffsetMilliseconds: options.queryOffsetMilliseconds
    ) { labels, sample in
      var batch = SeriesBatch()
      batch.append(sample.value, to: try store.reference(to: labels))
      try store.append(batch, atMilliseconds: sample.timestampMilliseconds, from: origin, isComplete: false)
    }
    guard let known else { return }
    for (place, state) in rules.groups.enumerated() where !known.contains(state.group.name) { nextTurns[place] = .min }
  }

  /// Every group with its rules and alerts, as the newest evaluation left them.
  public var groups: [GroupState] { rules.groups }

  /// Takes over alerts that were there when the recording begins.
  ///
  /// - Parameters:
  ///   - now: milliseconds since 1970.
  ///   - kept: the alerts of a rule, asked for by its group and its place in it.
  public mutating func restore(atMilliseconds now: Int64, _ kept: (RuleGroup, Int) -> [Alert]) {
    for place in rules.groups.indices {
      let before = rules.groups[place].rules.map(\.tracker.active)
      rules.withGroup(place) { state in
        let group = state.group
        state.restore(holdingUntilMilliseconds: { now + RuleEngine.holdMilliseconds(of: $0) }) { index, _ in
          kept(group, index)
        }
      }
      let state = rules.groups[place]
      for index in state.rules.indices {
        note(state.group.name, before[index], state.rules[index].tracker.active, atMilliseconds: now)
      }
    }
  }

  /// Takes over other rules of the same run.
  public func with(_ files: [RuleFile], options: RuleEngine.Options) -> RulesReplay {
    var next = RulesReplay(files, options: options)
    next.rules = RuleSet(files, carryingOver: rules)
    next.changes = changes
    next.errors = errors
    return next
  }

  /// The sources of the next page are others than those so far, whatever their numbers are.
  public mutating func forgetSources() {
    for source in sources.values { try? store.close(source.origin, endingSeriesAtMilliseconds: nil) }
    sources = [:]
  }

  /// The clock of evaluations was set.
  public mutating func shift(byMilliseconds distance: Int64) {
    store.shift(byMilliseconds: distance)
    for place in rules.groups.indices { rules.withGroup(place) { $0.shift(byMilliseconds: distance) } }
  }

  // MARK: Samples

  /// Takes in a page.
  ///
  /// - Parameter page: all sources, by their numbers.
  public mutating func take(_ page: [Int: Source], atMilliseconds time: Int64) throws(SeriesStoreError) {
    try takeTurns(upToMilliseconds: time)
    for number in page.keys.sorted() {
      guard let source = page[number] else { continue }
      var known = sources[number] ?? KnownSource(origin: store.openOrigin(), stamp: -1, references: [])
      if known.stamp != source.stamp {
        known.stamp = source.stamp
        known.references = try references(source)
      }
      let report = try store.append(batch(known.references, source), atMilliseconds: time, from: known.origin)
      if !report.unknown.isEmpty {
        known.references = try references(source)
        try store.append(batch(known.references, source), atMilliseconds: time, from: known.origin)
      }
      sources[number] = known
    }
    for (number, source) in sources where page[number] == nil {
      sources[number] = nil
      try? store.close(source.origin, endingSeriesAtMilliseconds: time)
    }
    var up = SeriesBatch()
    up.append(1, to: try store.reference(to: labels("up", [])))
    try store.append(up, atMilliseconds: time, from: own)
    if time % 60_000 < options.scrapeMilliseconds { store.expire(nowMilliseconds: time) }
  }

  private func references(_ source: Source) throws(SeriesStoreError) -> [SeriesReference] {
    var found: [SeriesReference] = []
    for series in source.series { found.append(try store.reference(to: labels(series.name, series.labels))) }
    return found
  }

  private func labels(_ name: String, _ given: [(name: String, value: String)]) -> Labels {
    var pairs = [Labels.Pair(Labels.metricName, name), Labels.Pair("job", options.job)]
    if !given.contains(where: { $0.name == "instance" }) { pairs.append(Labels.Pair("instance", options.instance)) }
    return Labels(pairs + given.map { Labels.Pair($0.name, $0.value) })
  }

  private func batch(_ references: [SeriesReference], _ source: Source) -> SeriesBatch {
    var batch = SeriesBatch()
    batch.reserveCapacity(references.count)
    for (reference, value) in zip(references, source.values) { batch.append(value, to: reference) }
    return batch
  }

  // MARK: Evaluations

  /// Evaluates a group as it was evaluated then.
  ///
  /// - Parameters:
  ///   - names: the alerts that the evaluation was for; nil for all rules of the group.
  public mutating func evaluate(_ group: String, of file: String?, names: Set<String>?, atMilliseconds time: Int64) {
    for place in rules.groups.indices {
      let candidate = rules.groups[place].group
      guard candidate.name == group, file == nil || candidate.file == file, nextTurns[place] == nil else { continue }
      let scope: GroupEvaluator.Scope =
        names.map { names in
          .only(Set(candidate.rules.indices.filter { names.contains(candidate.rules[$0].name) }))
        } ?? .all
      evaluate(place, scope, atMilliseconds: time)
    }
  }

  /// Groups that nobody evaluated then, at multiples of their intervals.
  private mutating func takeTurns(upToMilliseconds now: Int64) throws(SeriesStoreError) {
    for (place, next) in nextTurns.sorted(by: { $0.key < $1.key }) {
      let interval = rules.groups[place].group.intervalMilliseconds ?? options.intervalMilliseconds
      if next != .min, now >= next { evaluate(place, .all, atMilliseconds: now / interval * interval) }
      if next == .min || now >= next { nextTurns[place] = (now / interval + 1) * interval }
    }
  }

  private mutating func evaluate(_ place: Int, _ scope: GroupEvaluator.Scope, atMilliseconds time: Int64) {
    let before = rules.groups[place].rules.map(\.tracker.active)
    let evaluator = evaluator
    rules.withGroup(place) { evaluator.evaluate(&$0, atMilliseconds: time, scope: scope) }
    let group = rules.groups[place]
    for (index, rule) in group.group.rules.enumerated() {
      if let error = group.rules[index].lastError { errors[rule.name] = error }
      note(group.group.name, before[index], group.rules[index].tracker.active, atMilliseconds: time)
    }
  }

  private mutating func note(_ group: String, _ before: [Alert], _ after: [Alert], atMilliseconds time: Int64) {
    guard !before.isEmpty || !after.isEmpty else { return }
    let old = Dictionary(before.map { ($0.labels, $0) }, uniquingKeysWith: { first, _ in first })
    let new = Dictionary(after.map { ($0.labels, $0) }, uniquingKeysWith: { first, _ in first })
    func add(_ alert: Alert, from: AlertState, to: AlertState) {
      changes.append(
        Change(
          timeMilliseconds: time, group: group, labels: alert.labels, from: from, to: to,
          activeAtMilliseconds: alert.activeAtMilliseconds, annotations: alert.annotations))
    }
    for alert in after where old[alert.labels]?.state != alert.state {
      add(alert, from: old[alert.labels]?.state ?? .inactive, to: alert.state)
    }
    for alert in before where new[alert.labels] == nil { add(alert, from: alert.state, to: .inactive) }
  }
}
