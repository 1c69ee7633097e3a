import PromQL
import Runtime

/// The verdict on a switch: what is lost, what only differs, which rules would have said something else.
public struct SwitchReport: Sendable {
  public enum Grade: String, Sendable, CaseIterable {
    case lost
    case changed
    case unknown
    /// Different, and nothing is lost by it.
    case differs
  }

  /// One rule, panel, variable or annotation that is not as before.
  public struct Item: Sendable {
    public let grade: Grade
    public let query: UserQuery
    /// What its selectors or its replay show; the reasons are told once for all items that share them.
    public let what: String
    public let why: String
    public let advice: String
    /// It is about this query alone, not about a metric that others may read, too.
    var isOfOneQuery = false
  }

  /// What the past was compared over.
  public struct Replay: Sendable {
    public let rules: [RuleComparison]
    /// Nil where nothing could be evaluated.
    public let times: ClosedRange<Int64>?
    /// What was taken for given.
    public let assumptions: [String]

    public init(rules: [RuleComparison], times: ClosedRange<Int64>?, assumptions: [String]) {
      self.rules = rules
      self.times = times
      self.assumptions = assumptions
    }
  }

  public let items: [Item]
  /// Every selector, with what becomes of it.
  let effects: [String: SelectorJudgement.Effect]
  public let assumptions: [String]
  public let selectorCount: Int
  public let ruleCount: Int
  public let dashboardCount: Int
  /// Selectors whose series are the same on both sides, and those that select nothing on either.
  public let sameCount: Int
  public let idleCount: Int
  public let changedRules: Int
  let lostSelectors: Int
  /// Nil without a replay.
  let times: ClosedRange<Int64>?
  /// There was to be one, and there are no samples for it.
  private let isReplayEmpty: Bool

  public init(_ check: SwitchCheck, dashboards: Int, replay: Replay?) {
    var items: [Item] = []
    var effects: [String: SelectorJudgement.Effect] = [:]
    for judged in check.judged {
      for (selector, judgement) in judged.selectors {
        let text = Expression.selector(selector).description
        if judgement.effect != .foreign, effects[text] != .lost { effects[text] = judgement.effect }
        let grade: Grade
        switch judgement.effect {
        case .lost: grade = .lost
        case .different: grade = .differs
        case .unknown: grade = .unknown
        case .same, .idle, .foreign: continue
        }
        let item = Item(
          grade: grade, query: judged.query, what: judgement.what, why: judgement.why, advice: judgement.advice)
        if !items.contains(where: { $0.query.title == judged.query.title && $0.what == item.what }) {
          items.append(item)
        }
      }
    }
    for query in check.refused {
      items.append(
        Item(
          grade: .unknown, query: query, what: "it cannot be read: \(query.problem ?? "")",
          why: "Redline's own engine does not know it; whether it reads the same is not known",
          advice: query.kind.isRule
            ? "Prometheus goes on judging it; leave it out of Redline's own rules"
            : "look at the panel beside both exporters",
          isOfOneQuery: true))
    }
    let verdicts = (replay?.rules ?? []).compactMap { rule in
      var item = Self.item(rule)
      item?.isOfOneQuery = true
      return item
    }
    changedRules = verdicts.count { $0.grade == .changed }
    items += verdicts
    self.items = Grade.allCases.flatMap { grade in items.filter { $0.grade == grade } }
    self.effects = effects
    selectorCount = effects.count
    sameCount = effects.values.count { $0 == .same || $0 == .different }
    idleCount = effects.values.count { $0 == .idle }
    lostSelectors = effects.values.count { $0 == .lost }
    ruleCount = check.groups.reduce(0) { $0 + $1.rules.count } + check.refused.count { $0.kind.isRule }
    dashboardCount = dashboards
    assumptions = check.conditions + (replay?.assumptions ?? [])
    times = replay?.times
    isReplayEmpty = replay != nil && times == nil && !check.groups.isEmpty
  }

  private static func item(_ rule: RuleComparison) -> Item? {
    let isAlert = rule.rule.kind == .alert
    if let error = rule.newError, rule.oldError == nil {
      return Item(
        grade: .changed, query: rule.rule, what: "with Redline's series it fails: \(error)",
        why: "it matches series one to one, and labels or series differ",
        advice: "see what differs of its metrics above")
    }
    if let error = rule.oldError {
      return Item(
        grade: .unknown, query: rule.rule, what: "it fails today already: \(error)", why: "its verdict is not known",
        advice: "mend it first")
    }
    guard rule.isChanged else { return nil }
    let counts =
      isAlert
      ? "it \(rule.oldCount == 0 ? "never fired" : "fired \(times(rule.oldCount))") with redis_exporter and would "
        + "\(rule.newCount == 0 ? "never have fired" : "have fired \(times(rule.newCount))") with Redline"
      : "it recorded up to \(series(rule.oldCount)) with redis_exporter, and up to \(series(rule.newCount)) with Redline"
    guard let first = rule.differences.first else {
      let means = rule.means.map { "\(number($0.old)) with redis_exporter, \(number($0.new)) with Redline" } ?? ""
      return Item(
        grade: .changed, query: rule.rule, what: "what it records is other: on average \(means)",
        why: "the series that it reads have other values or are more or fewer",
        advice: "compare what it reads on the two pages")
    }
    if let change = rule.relabelled {
      return Item(
        grade: change.isHarmless ? .differs : .changed, query: rule.rule,
        what: "the same \(isAlert ? "alerts" : "series"), with other labels: each \(change.words)",
        why: "labels of the series that it reads differ",
        advice: isAlert
          ? "look through routes, silences, inhibitions and texts for these labels"
          : "look through what reads the recorded series")
    }
    let side = first.isOld ? "with redis_exporter" : "with Redline"
    let length = RuleDuration.text(milliseconds: first.throughMilliseconds - first.fromMilliseconds)
    return Item(
      grade: .changed, query: rule.rule, what: counts,
      why: "first at \(moment(first.fromMilliseconds)) for \(length), only \(side): \(shortened(first.labels))"
        + (rule.differenceCount > 1 ? "; \(rule.differenceCount) such times in all" : ""),
      advice: "see what differs of its metrics; where nothing does, compare the two at that time in Prometheus")
  }

  private static let shownLabels = 6

  /// The labels that tell most, where there are many.
  private static func shortened(_ labels: Labels) -> String {
    let all = labels.pairs
    guard all.count > shownLabels else { return "\(labels)" }
    let first = ["__name__", "alertname", "job", "instance", "db", "cmd", "role"]
    let shown = all.filter { first.contains($0.name) }.prefix(shownLabels)
    return "\(Labels(shown)) and \(all.count - shown.count) labels more"
  }

  private static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }
  private static func series(_ count: Int) -> String { "\(count) series" }

  private static func number(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(clamping: rounded))" : "\(rounded)"
  }

  /// A time as it is shown, to the minute.
  public static func moment(_ milliseconds: Int64) -> String {
    "\(WallTime(epochMs: milliseconds).minuteText)"
  }

  // MARK: The verdict

  public var isLoss: Bool { items.contains { $0.grade == .lost || $0.grade == .changed } }
  public var hasUnknown: Bool { items.contains { $0.grade == .unknown } }

  /// 0 nothing is lost, 1 something is, 3 something could not be judged.
  public var status: Int32 { isLoss ? 1 : hasUnknown || isEmpty || isReplayEmpty ? 3 : 0 }

  /// Nothing of what is read is there today.
  private var isEmpty: Bool { selectorCount == idleCount && items.isEmpty }

  /// `Switch: nothing is lost: 34 selectors, 12 rules, 3 dashboards; 0 rules change their verdict over 3 days`
  public var sentence: String {
    guard !isEmpty else {
      return
        "Switch: no rule of this Prometheus and no dashboard reads a series of redis_exporter: nothing was compared"
    }
    func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
    let read = [count(selectorCount, "selector"), count(ruleCount, "rule"), count(dashboardCount, "dashboard")]
      .joined(separator: ", ")
    let losing = Set(items.filter { $0.grade == .lost }.map(\.query.title)).count
    let lost =
      losing == 0
      ? "nothing is lost: \(read)"
      : "series are lost of \(lostSelectors) of \(read), in \(losing == 1 ? "1 place" : "\(losing) places")"
    let verdicts =
      times.map { times in
        "\(changedRules) rule\(changedRules == 1 ? " changes its" : "s change their") verdict over \(Self.span(times))"
      } ?? (isReplayEmpty ? "no rule could be replayed" : "no rule was replayed")
    let unknown = Set(items.filter { $0.grade == .unknown }.map(\.query.title)).count
    return "Switch: \(lost); \(verdicts)" + (unknown == 0 ? "" : "; \(unknown) could not be judged")
  }

  /// Whole days where it is close to them.
  private static func span(_ times: ClosedRange<Int64>) -> String {
    let minutes = (times.upperBound - times.lowerBound + 59_000) / 60_000
    let days = (minutes + 10) / 1440
    if days >= 1, minutes - days * 1440 < 60 { return days == 1 ? "1 day" : "\(days) days" }
    return minutes >= 120 ? "\(minutes / 60) h" : "\(minutes) min"
  }
}

extension SwitchCheck {
  /// What has to hold for what was judged: the labels that Prometheus puts on series.
  var conditions: [String] {
    let labels = SwitchTarget.labelNames(targets)
    let matchers = judged.flatMap { judged in
      judged.selectors.flatMap { found in
        found.judgement.effect == .foreign
          ? []
          : found.selector.matchers.filter {
            labels.contains($0.name) && !$0.value.contains(GrafanaVariables.anyValue) && !$0.matchesEmpty
          }
      }
    }
    var conditions = ofPages
    let texts = Set(matchers.map(\.description)).sorted()
    let sample = texts.prefix(4).joined(separator: ", ") + (texts.count > 4 ? " and \(texts.count - 4) more" : "")
    if texts.isEmpty {
      conditions.append("no query names a label that Prometheus puts on the target, such as job or instance")
    } else {
      conditions.append(
        "\(matchers.count) selectors name labels of the target (\(sample)): after the switch Prometheus scrapes Redline by the same job and address as redis_exporter today"
      )
      let foreign = texts.filter { text in
        !targets.contains { target in
          !target.isRedline && matchers.contains { $0.description == text && $0.matches(target.labels) }
        }
      }
      if !foreign.isEmpty {
        conditions.append("\(foreign.joined(separator: ", ")) select no redis_exporter of today")
      }
    }
    if let redline = targets.first(where: \.isRedline) {
      conditions.append("Redline is scraped today as \(redline.labels)")
    }
    return conditions
  }

  /// What the pages stand for.
  private var ofPages: [String] {
    let info = "\(comparison.namespace)_instance_info"
    var list: [String] = []
    if comparison.new == nil {
      let flags = Set(judged.flatMap(\.selectors).flatMap { comparison.flagsNeeded(by: $0.selector) }).sorted()
      list.append(
        "no Redline was there to ask: what Redline can export was taken, without the values of labels"
          + (flags.isEmpty ? "" : "; start it with \(flags.joined(separator: ", "))"))
    } else if !comparison.areOfOneServer {
      list.append(
        "the two exporters' series are not of the same server (run_id of \(info) differs): only names, labels and types were compared"
      )
    }
    let runIDs = Set(targets.compactMap(\.runID))
    if oldTargetCount == 0 {
      list.append("Prometheus scrapes no redis_exporter now: labels of targets are not known")
    } else if comparison.old.values(of: "run_id", in: info).isDisjoint(with: runIDs) {
      list.append("Prometheus does not scrape the server of that page: it stands for those that are scraped")
    } else if oldTargetCount > 1 {
      list.append("what was compared of one server holds for all \(oldTargetCount)")
    }
    return list
  }
}
