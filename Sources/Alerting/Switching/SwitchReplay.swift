import PromQL
import Runtime

/// What a rule said in the past with redis_exporter's series, beside what it would have said with Redline's.
public struct RuleComparison: Sendable {
  /// A time in which only one of the two said it.
  public struct Difference: Sendable {
    public let labels: Labels
    /// With redis_exporter's series, not with Redline's; or the other way round.
    public let isOld: Bool
    public let fromMilliseconds: Int64
    public var throughMilliseconds: Int64
  }

  public let rule: UserQuery
  /// How often an alert began to fire, or for how many series something was recorded.
  public internal(set) var oldCount = 0
  public internal(set) var newCount = 0
  public internal(set) var differences: [Difference] = []
  public internal(set) var differenceCount = 0
  /// The mean of what was recorded, where it differs by more than a twentieth.
  public internal(set) var means: (old: Double, new: Double)?
  /// Why the rule gave nothing, on each side; nil where it gave something.
  public internal(set) var oldError: String?
  public internal(set) var newError: String?

  /// How labels change where that is all: the same alerts at the same times. Nil where more does.
  var relabelled: LabelChange? {
    let (old, new) = (differences.filter(\.isOld), differences.filter { !$0.isOld })
    func times(_ list: [Difference]) -> [[Int64]] {
      list.map { [$0.fromMilliseconds, $0.throughMilliseconds] }.sorted { $0.lexicographicallyPrecedes($1) }
    }
    guard let before = old.first, oldCount == newCount, times(old) == times(new),
      let after = new.first(where: { $0.fromMilliseconds == before.fromMilliseconds })
    else { return nil }
    return LabelChange(before.labels, after.labels)
  }

  /// What becomes of the labels of an alert or of a recorded series.
  struct LabelChange {
    let added: [String]
    let removed: [String]
    let changed: [String]

    init(_ old: Labels, _ new: Labels) {
      let (before, after) = (old.pairs.map(\.name), new.pairs.map(\.name))
      added = after.filter { !before.contains($0) }
      removed = before.filter { !after.contains($0) }
      changed = before.filter { after.contains($0) && old[$0] != new[$0] }
    }

    /// Whatever matches the labels of before goes on to do so.
    var isHarmless: Bool { removed.isEmpty && changed.isEmpty }

    var words: String {
      [("has also", added), ("has no longer", removed), ("has other values of", changed)]
        .filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }
  }

  public var isChanged: Bool { differenceCount > 0 || means != nil || (newError != nil && oldError == nil) }
}

/// Rules evaluated over the past of one exporter.
private final class ReplaySide {
  let store: SeriesStore
  private let evaluator: GroupEvaluator
  private var origins: [Int?: SeriesOrigin] = [:]
  private let recorded = Lock([Labels: Double]())
  var groups: [GroupState]

  init(_ groups: [RuleGroup], policy: HistoryPolicy, dialect: Dialect) {
    let store = SeriesStore(policy: policy)
    let origin = store.openOrigin()
    let recorded = recorded
    self.store = store
    self.groups = groups.map { GroupState($0) }
    evaluator = GroupEvaluator(source: store, dialect: dialect) { labels, sample in
      var batch = SeriesBatch()
      batch.append(sample.value, to: try store.reference(to: labels))
      try store.append(batch, atMilliseconds: sample.timestampMilliseconds, from: origin, isComplete: false)
      if !sample.isStale { recorded.withLock { $0[labels] = sample.value } }
    }
  }

  func take(_ batch: SwitchBatch) throws(SeriesStoreError) {
    let origin = origins[batch.target] ?? store.openOrigin()
    origins[batch.target] = origin
    var samples = SeriesBatch()
    for (labels, value) in batch.samples { samples.append(value, to: try store.reference(to: labels)) }
    // A scrape brings all that there is; the rest has ended.
    try store.append(
      samples, atMilliseconds: batch.milliseconds, from: origin, isComplete: batch.target != nil)
  }

  /// The series go on with those of another target.
  func pause(_ target: Int) throws(SeriesStoreError) {
    guard let origin = origins.removeValue(forKey: target) else { return }
    try store.close(origin, endingSeriesAtMilliseconds: nil)
  }

  /// - Returns: what the recording rules of the group gave.
  func evaluate(_ place: Int, at now: Int64) -> [Labels: Double] {
    recorded.withLock { $0 = [:] }
    evaluator.evaluate(&groups[place], atMilliseconds: now)
    return recorded.withLock { $0 }
  }
}

/// Rules evaluated over the past on both sides, window by window, so that memory holds one window and what rules look back.
public struct SwitchReplay {
  fileprivate struct Means {
    var (oldSum, oldCount, newSum, newCount) = (0.0, 0, 0.0, 0)
  }
  fileprivate struct BriefDifferences {
    private(set) var first: RuleComparison.Difference?
    private(set) var count = 0
    private(set) var totalMilliseconds: Int64 = 0

    mutating func add(_ difference: RuleComparison.Difference) {
      first = first ?? difference
      count += 1
      totalMilliseconds += difference.throughMilliseconds - difference.fromMilliseconds
    }
  }
  fileprivate struct RunKey: Hashable {
    let labels: Labels
    let isOld: Bool
  }

  /// A rule on both sides, so far.
  fileprivate struct RuleRun {
    var comparison: RuleComparison
    var means = Means()
    /// Differences that go on.
    var runs: [RunKey: RuleComparison.Difference] = [:]
    /// Differences that count as none, since they are shorter than two scrapes may be apart.
    var brief = BriefDifferences()
    var firing: (old: Set<Labels>, new: Set<Labels>) = ([], [])

    init(_ comparison: RuleComparison) { self.comparison = comparison }
  }

  private let groups: [RuleGroup]
  private var history: SwitchHistory
  private let old: ReplaySide
  private let new: ReplaySide
  private let startMilliseconds: Int64
  private let endMilliseconds: Int64
  /// No group is evaluated more often; nil before the first sample.
  public private(set) var shortestStepMilliseconds: Int64?
  private var nextMilliseconds: [Int64]
  private var doneMilliseconds = Int64.min
  private var switched: Set<Int> = []
  private var rules: [[RuleRun]]
  /// When the first evaluation was that counts, and the last.
  public private(set) var comparedMilliseconds: ClosedRange<Int64>?

  private static let shownDifferences = 20
  private static let defaultIntervalMilliseconds: Int64 = 60_000

  /// - Parameter startMilliseconds: what is evaluated before is not compared; it fills what later rules read.
  public init(
    _ groups: [RuleGroup], history: SwitchHistory, dialect: Dialect, beginMilliseconds: Int64,
    startMilliseconds: Int64, endMilliseconds: Int64
  ) {
    self.groups = groups
    self.history = history
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    var policy = HistoryPolicy()
    for rule in groups.flatMap(\.rules) { policy.keep(rule.query) }
    old = ReplaySide(groups, policy: policy, dialect: dialect)
    new = ReplaySide(groups, policy: policy, dialect: dialect)
    nextMilliseconds = groups.map { _ in beginMilliseconds }
    rules = groups.map { group in group.rules.map { RuleRun(RuleComparison(rule: UserQuery($0, of: group))) } }
  }

  public var bothSinceMilliseconds: Int64? { history.bothSinceMilliseconds }
  public var longestToleranceMilliseconds: Int64 { groups.map(tolerance).max() ?? 0 }

  private func step(of group: RuleGroup) -> Int64 {
    max(group.intervalMilliseconds ?? Self.defaultIntervalMilliseconds, shortestStepMilliseconds ?? 1000)
  }

  private static let evaluationLimit: Int64 = 1_000_000

  /// A step with which the whole does not take longer than the limit allows.
  private func affordableStep(spanMilliseconds span: Int64) -> Int64 {
    func cost(_ shortest: Int64) -> Int64 {
      groups.reduce(0) { sum, group in
        let interval = max(group.intervalMilliseconds ?? Self.defaultIntervalMilliseconds, shortest)
        return sum + 2 * Int64(group.rules.count) * (span / interval)
      }
    }
    return [1000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000].first { cost($0) <= Self.evaluationLimit }
      ?? 900_000
  }

  /// How long only one side may say something before it counts, where the two are not scraped at the same moment.
  private func tolerance(of group: RuleGroup) -> Int64 {
    history.bothSinceMilliseconds == nil ? 0 : 2 * (step(of: group) + history.scrapeMilliseconds)
  }

  /// Goes on through one window of the past.
  ///
  /// - Parameter series: every series that the rules read, with its samples of the window.
  public mutating func run(_ series: [Series], throughMilliseconds end: Int64) throws {
    let (before, after) = history.batches(of: series, after: doneMilliseconds)
    if shortestStepMilliseconds == nil {
      // Before the first sample there is nothing that could be judged.
      let first = history.firstMilliseconds ?? end + 1
      for place in groups.indices { nextMilliseconds[place] = max(nextMilliseconds[place], first) }
      if history.firstMilliseconds != nil {
        shortestStepMilliseconds = affordableStep(spanMilliseconds: endMilliseconds - first)
      }
    }
    var (oldIndex, newIndex) = (0, 0)
    while let place = nextMilliseconds.indices.min(by: { nextMilliseconds[$0] < nextMilliseconds[$1] }),
      nextMilliseconds[place] <= end
    {
      let now = nextMilliseconds[place]
      while oldIndex < before.count, before[oldIndex].milliseconds <= now {
        try old.take(before[oldIndex])
        oldIndex += 1
      }
      while newIndex < after.count, after[newIndex].milliseconds <= now {
        try takeNew(after[newIndex])
        newIndex += 1
      }
      evaluate(place, at: now)
      nextMilliseconds[place] = now + step(of: groups[place])
    }
    for batch in before[oldIndex...] { try old.take(batch) }
    for batch in after[newIndex...] { try takeNew(batch) }
    doneMilliseconds = end
    old.store.expire(nowMilliseconds: end)
    new.store.expire(nowMilliseconds: end)
  }

  private mutating func takeNew(_ batch: SwitchBatch) throws {
    if let target = batch.target, let replaced = history.replaced(by: target), switched.insert(target).inserted {
      try new.pause(replaced)
    }
    try new.take(batch)
  }

  private mutating func evaluate(_ place: Int, at now: Int64) {
    let recordedOld = old.evaluate(place, at: now)
    let recordedNew = new.evaluate(place, at: now)
    guard now >= startMilliseconds, let first = history.firstMilliseconds, now >= first else { return }
    comparedMilliseconds = (comparedMilliseconds?.lowerBound ?? now)...now
    let tolerance = tolerance(of: groups[place])
    for (index, rule) in groups[place].rules.enumerated() {
      let (before, after) = (old.groups[place].rules[index], new.groups[place].rules[index])
      rules[place][index].comparison.oldError = before.lastError
      rules[place][index].comparison.newError = after.lastError
      var said: (old: Set<Labels>, new: Set<Labels>)
      switch rule {
      case .alerting:
        said = (Self.firing(before), Self.firing(after))
        rules[place][index].comparison.oldCount += said.old.subtracting(rules[place][index].firing.old).count
        rules[place][index].comparison.newCount += said.new.subtracting(rules[place][index].firing.new).count
      case .recording:
        said = (before.series, after.series)
        rules[place][index].comparison.oldCount = max(rules[place][index].comparison.oldCount, said.old.count)
        rules[place][index].comparison.newCount = max(rules[place][index].comparison.newCount, said.new.count)
        for labels in said.old { rules[place][index].means.addOld(recordedOld[labels]) }
        for labels in said.new { rules[place][index].means.addNew(recordedNew[labels]) }
      }
      rules[place][index].firing = said
      compare(said, place, index, at: now, tolerance: tolerance)
    }
  }

  private static func firing(_ state: RuleState) -> Set<Labels> {
    Set(state.tracker.active.filter { $0.state == .firing }.map(\.labels))
  }

  private mutating func compare(
    _ said: (old: Set<Labels>, new: Set<Labels>), _ place: Int, _ index: Int, at now: Int64, tolerance: Int64
  ) {
    let alone =
      said.old.subtracting(said.new).map { RunKey(labels: $0, isOld: true) }
      + said.new.subtracting(said.old).map { RunKey(labels: $0, isOld: false) }
    for key in alone {
      rules[place][index].runs[
        key,
        default: .init(labels: key.labels, isOld: key.isOld, fromMilliseconds: now, throughMilliseconds: now)
      ].throughMilliseconds = now
    }
    let still = Set(alone)
    for (key, run) in rules[place][index].runs where !still.contains(key) {
      close(run, place, index, tolerance)
      rules[place][index].runs[key] = nil
    }
  }

  private mutating func close(_ run: RuleComparison.Difference, _ place: Int, _ index: Int, _ tolerance: Int64) {
    var run = run
    // It holds until the evaluation that no longer says it.
    run.throughMilliseconds += step(of: groups[place])
    guard run.throughMilliseconds - run.fromMilliseconds > tolerance else {
      rules[place][index].brief.add(run)
      return
    }
    rules[place][index].comparison.differenceCount += 1
    if rules[place][index].comparison.differences.count < Self.shownDifferences {
      rules[place][index].comparison.differences.append(run)
    }
  }

  /// What every rule said, until the very end.
  public mutating func finish() -> [RuleComparison] {
    for place in groups.indices where nextMilliseconds[place] - step(of: groups[place]) < doneMilliseconds {
      evaluate(place, at: doneMilliseconds)
    }
    for place in groups.indices {
      let tolerance = tolerance(of: groups[place])
      for index in groups[place].rules.indices {
        for run in rules[place][index].runs.values { close(run, place, index, tolerance) }
        rules[place][index].runs = [:]
        rules[place][index].comparison.differences.sort {
          ($0.fromMilliseconds, $0.labels) < ($1.fromMilliseconds, $1.labels)
        }
        // What one side says time and again, and the other never, is no matter of moments.
        let (rule, short) = (rules[place][index].comparison, rules[place][index].brief)
        if rule.differences.isEmpty, (rule.oldCount == 0) != (rule.newCount == 0), let first = short.first,
          short.totalMilliseconds > tolerance
        {
          rules[place][index].comparison.differences = [first]
          rules[place][index].comparison.differenceCount = short.count
        }
        rules[place][index].comparison.means = rules[place][index].means.difference
      }
    }
    return rules.flatMap { $0.map(\.comparison) }
  }
}

extension SwitchReplay.Means {
  fileprivate mutating func addOld(_ value: Double?) {
    guard let value, value.isFinite else { return }
    (oldSum, oldCount) = (oldSum + value, oldCount + 1)
  }

  fileprivate mutating func addNew(_ value: Double?) {
    guard let value, value.isFinite else { return }
    (newSum, newCount) = (newSum + value, newCount + 1)
  }

  fileprivate var difference: (old: Double, new: Double)? {
    guard oldCount > 0, newCount > 0 else { return nil }
    let (old, new) = (oldSum / Double(oldCount), newSum / Double(newCount))
    return abs(old - new) > 0.05 * max(abs(old), abs(new)) ? (old, new) : nil
  }
}

extension UserQuery {
  init(_ rule: Rule, of group: RuleGroup) {
    let kind: Kind = if case .alerting = rule { .alert } else { .recording }
    self.init(
      kind, name: rule.name, place: group.name, text: rule.query.text, expression: rule.query.expression)
  }
}
