import PromQL

/// How the last evaluation of a rule went.
public enum RuleHealth: String, Sendable {
  case unknown
  case good = "ok"
  case bad = "err"
}

/// What a rule keeps from one evaluation to the next.
public struct RuleState: Sendable {
  public internal(set) var tracker = AlertTracker()
  public internal(set) var health = RuleHealth.unknown
  public internal(set) var lastError: String?
  /// Milliseconds since 1970.
  public internal(set) var lastEvaluationMilliseconds: Int64?
  /// How long the last evaluation took.
  public internal(set) var evaluationSeconds: Double = 0
  /// Remarks of the query's author-facing kind from the last evaluation.
  public internal(set) var annotations: [Annotation] = []
  /// The series that the last good evaluation gave, to mark those stale that it gives no more.
  var series: Set<Labels> = []

  public init() {}
}

/// A rule group with the state of its rules.
public struct GroupState: Sendable {
  public let group: RuleGroup
  /// One for each rule, in order.
  public internal(set) var rules: [RuleState]
  /// Of the last whole evaluation, milliseconds since 1970.
  public internal(set) var lastEvaluationMilliseconds: Int64?
  /// How long it took.
  public internal(set) var evaluationSeconds: Double = 0
  /// The time of the newest samples that the group gave.
  var lastSampleMilliseconds: Int64?
  /// Series of rules that a reload took away, to be marked stale at the next evaluation.
  var orphans: Set<Labels> = []

  public init(_ group: RuleGroup) {
    self.group = group
    rules = group.rules.map { _ in RuleState() }
  }

  /// The group as it is now configured, with what the state before a reload can still say.
  ///
  /// Rules are matched by name and labels, of several alike the first with the first. An expression, a `for` or an
  /// annotation may so change and the alerts live on.
  public init(_ group: RuleGroup, carryingOver old: GroupState) {
    self.init(group)
    var places: [RuleIdentity: [Int]] = [:]
    for (index, rule) in old.group.rules.enumerated().reversed() {
      places[RuleIdentity(rule), default: []].append(index)
    }
    orphans = old.orphans
    for (index, rule) in group.rules.enumerated() {
      guard let place = places[RuleIdentity(rule)]?.popLast() else { continue }
      rules[index] = old.rules[place]
    }
    (lastEvaluationMilliseconds, evaluationSeconds) = (old.lastEvaluationMilliseconds, old.evaluationSeconds)
    lastSampleMilliseconds = old.lastSampleMilliseconds
    for place in places.values.joined() { orphans.formUnion(old.rules[place].series) }
  }

  /// Takes note that the clock was set.
  mutating func shift(byMilliseconds distance: Int64) {
    for index in rules.indices {
      rules[index].tracker.shift(byMilliseconds: distance)
      rules[index].lastEvaluationMilliseconds? += distance
    }
    lastEvaluationMilliseconds? += distance
    lastSampleMilliseconds? += distance
  }

  /// Puts back alerts kept through a restart into the rules that they belong to.
  ///
  /// - Parameter kept: the alerts of a rule, asked for by its place in the group.
  /// - Parameter holdUntil: of a rule; see ``AlertTracker/restore(_:holdingUntilMilliseconds:)``.
  public mutating func restore(
    holdingUntilMilliseconds holdUntil: (Rule) -> Int64 = { _ in .min }, _ kept: (Int, Rule) -> [Alert]
  ) {
    for (index, rule) in group.rules.enumerated() {
      rules[index].tracker.restore(kept(index, rule), holdingUntilMilliseconds: holdUntil(rule))
    }
  }
}

/// By what a rule is known again after a reload.
struct RuleIdentity: Hashable {
  let isAlert: Bool
  let name: String
  let labels: [String: String]

  init(_ rule: Rule) {
    if case .alerting = rule { isAlert = true } else { isAlert = false }
    name = rule.name
    labels = rule.labels
  }
}

/// All groups of all rule files with their state.
public struct RuleSet: Sendable {
  public private(set) var groups: [GroupState]
  /// Series of groups that are gone, to be marked stale.
  private var orphans: Set<Labels> = []

  public init(_ files: [RuleFile]) {
    groups = files.flatMap(\.groups).map { GroupState($0) }
  }

  /// The set after a reload: groups are matched by file and name.
  public init(_ files: [RuleFile], carryingOver old: RuleSet) {
    var known: [String: GroupState] = [:]
    for state in old.groups { known[Self.key(state.group)] = state }
    groups = files.flatMap(\.groups).map { group in
      known.removeValue(forKey: Self.key(group)).map { GroupState(group, carryingOver: $0) } ?? GroupState(group)
    }
    orphans = old.orphans
    for state in known.values {
      orphans.formUnion(state.orphans)
      for rule in state.rules { orphans.formUnion(rule.series) }
    }
  }

  private static func key(_ group: RuleGroup) -> String { "\(group.file)\u{0}\(group.name)" }

  /// The same groups as they are now; they must be these, in this order.
  func with(_ groups: [GroupState]) -> RuleSet {
    var copy = self
    copy.groups = groups
    return copy
  }

  /// Puts back alerts that were kept through a restart.
  ///
  /// - Parameter kept: the alerts of a rule, asked for by its key in an ``RuleStateStore``.
  mutating func restore(holdingUntilMilliseconds holdUntil: (Rule) -> Int64, _ kept: (String) -> [Alert]) {
    for index in groups.indices {
      let keys = RuleStateStore.keys(of: groups[index].group)
      groups[index].restore(holdingUntilMilliseconds: holdUntil) { place, _ in kept(keys[place]) }
    }
  }

  /// Gives access to one group for its evaluation.
  public mutating func withGroup<Result>(_ index: Int, _ body: (inout GroupState) -> Result) -> Result {
    body(&groups[index])
  }

  /// The series of groups that a reload took away; asked for once, they are forgotten.
  public mutating func takeOrphans() -> [Labels] {
    defer { orphans = [] }
    return orphans.sorted()
  }
}
