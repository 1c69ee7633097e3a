import PromQL
import Runtime

/// What redis_exporter serves beside what Redline serves, series by series.
public struct SeriesComparison: Sendable {
  public let old: ServedSeries
  /// Nil while no Redline is there to ask: then the catalogue says which metrics and labels there will be.
  public let new: ServedSeries?
  let catalogue: MetricCatalogue
  /// By metric, the flags without which Redline leaves it out.
  let flags: [String: String]
  let namespace: String
  /// Whether both are of the same server at the same time. Else only names and labels can be compared.
  public let areOfOneServer: Bool
  private let changes: [String: MetricChange]

  /// How the series of one name change.
  struct MetricChange: Sendable {
    var isMissing = false
    /// Series that will not be there, with any labels.
    var lost: Set<Labels> = []
    /// Series that have other labels: old by new.
    var renamed: [Labels: Labels] = [:]
    var gainedCount = 0
    var lostLabels: [String] = []
    var addedLabels: [String] = []
    var types: (old: String, new: String)?
  }

  public init(
    old: ServedSeries, new: ServedSeries?, catalogue: MetricCatalogue, flags: [String: String] = [:],
    namespace: String = "redis"
  ) {
    self.old = old
    self.new = new
    self.catalogue = catalogue
    self.flags = flags
    self.namespace = namespace
    let info = "\(namespace)_instance_info"
    areOfOneServer =
      new.map { !$0.values(of: "run_id", in: info).isDisjoint(with: old.values(of: "run_id", in: info)) }
      ?? false
    var changes: [String: MetricChange] = [:]
    for name in old.byName.keys {
      changes[name] =
        if let new { Self.change(of: name, old, new, comparesSeries: areOfOneServer) } else {
          Self.change(of: name, old, catalogue)
        }
    }
    self.changes = changes
  }

  /// Whether either exporter serves series of that name.
  func serves(_ name: String) -> Bool { name.hasPrefix("\(namespace)_") || changes[name] != nil }

  /// What becomes of a series of the past, without the labels of its target: other labels, or nil where it will be absent.
  func converted(_ labels: Labels) -> Labels? {
    guard let change = changes[labels[Labels.metricName] ?? ""] else { return labels }
    if change.isMissing || change.lost.contains(labels) { return nil }
    if let renamed = change.renamed[labels] { return renamed }
    guard !change.lostLabels.isEmpty else { return labels }
    return Labels(labels.pairs.filter { !change.lostLabels.contains($0.name) })
  }

  private static func labelNames(_ series: Set<Labels>) -> Set<String> {
    series.reduce(into: []) { names, labels in names.formUnion(labels.pairs.map(\.name)) }
  }

  private static func change(
    of name: String, _ old: ServedSeries, _ new: ServedSeries, comparesSeries: Bool
  ) -> MetricChange {
    var change = MetricChange()
    let before = old.byName[name] ?? []
    guard let after = new.byName[name], !after.isEmpty else {
      change.isMissing = true
      change.lost = before
      return change
    }
    let (oldNames, newNames) = (labelNames(before), labelNames(after))
    change.lostLabels = oldNames.subtracting(newNames).sorted()
    change.addedLabels = newNames.subtracting(oldNames).sorted()
    if let was = old.type(of: name), let type = new.type(of: name), was != type { change.types = (was, type) }
    guard comparesSeries else { return change }
    var gone = before.subtracting(after)
    var come = after.subtracting(before)
    let shared = oldNames.intersection(newNames)
    func key(_ labels: Labels) -> Labels { Labels(labels.pairs.filter { shared.contains($0.name) }) }
    let byKey = Dictionary(grouping: come, by: key)
    let oldByKey = Dictionary(grouping: gone, by: key)
    for (key, series) in oldByKey {
      guard series.count == 1, let found = byKey[key], found.count == 1 else { continue }
      change.renamed[series[0]] = found[0]
    }
    // The one series of an info metric: what it says has changed, such as the exporter's own build.
    if before.count == 1, after.count == 1, let one = gone.first, let other = come.first { change.renamed[one] = other }
    gone.subtract(change.renamed.keys)
    come.subtract(change.renamed.values)
    change.lost = gone
    change.gainedCount = come.count
    return change
  }

  private static func change(of name: String, _ old: ServedSeries, _ catalogue: MetricCatalogue) -> MetricChange {
    var change = MetricChange()
    let before = old.byName[name] ?? []
    guard let metric = catalogue.metric(name) else {
      change.isMissing = true
      change.lost = before
      return change
    }
    let names = labelNames(before).subtracting([Labels.metricName])
    change.lostLabels = names.subtracting(metric.labels).subtracting(catalogue.targetLabels).sorted()
    return change
  }
}

/// What a switch does to the series that one selector selects.
public struct SelectorJudgement: Sendable {
  public enum Effect: String, Sendable {
    case same
    /// Neither exporter serves such a series today.
    case idle
    /// It reads what no exporter of Redis serves: left alone.
    case foreign
    /// Nothing is lost, but something is different.
    case different
    case lost
    /// A variable stands where the name of the metric should be.
    case unknown
  }

  public let effect: Effect
  /// What differs, why, and what to do; empty where nothing differs.
  public let what: String
  public let why: String
  public let advice: String

  init(_ effect: Effect, _ what: String = "", why: String = "", advice: String = "") {
    self.effect = effect
    self.what = what
    self.why = why
    self.advice = advice
  }
}

extension SeriesComparison {
  /// - Parameters:
  ///   - targets: both exporters' as Prometheus scrapes them; their labels are on no page.
  ///   - listedLabel: the label whose values are asked for.
  func judgement(
    of selector: Expression.Selector, targets: [SwitchTarget], listedLabel: String? = nil
  ) -> SelectorJudgement {
    let targetLabels = SwitchTarget.labelNames(targets)
    let ofTarget = selector.matchers.filter { matcher in
      targetLabels.contains(matcher.name) && !matcher.matchesEmpty
        && !matcher.value.contains(GrafanaVariables.anyValue)
    }
    let isOfTarget = targets.contains { target in !target.isRedline && ofTarget.allSatisfy { $0.matches(target.labels) }
    }
    let isOurs = selector.name.map { $0.hasPrefix("\(namespace)_") } ?? true
    // What every program has, such as go_goroutines, is meant of this one only where its target is named.
    guard isOurs || (isOfTarget && !ofTarget.isEmpty) || selector.name?.hasPrefix(GrafanaVariables.anyValue) ?? false
    else { return SelectorJudgement(.foreign) }
    if let name = selector.name, name.contains(GrafanaVariables.anyValue) {
      return SelectorJudgement(
        .unknown, "a variable stands in the name of the metric",
        why: "which metric is meant is not known before it is chosen", advice: "look at the panel beside both exporters"
      )
    }
    let names = names(of: selector)
    guard !names.isEmpty else { return SelectorJudgement(isOurs && selector.name != nil ? .idle : .foreign) }
    if !isOfTarget, targets.contains(where: { !$0.isRedline }) { return SelectorJudgement(.idle) }
    let judgements = names.map { judgement(of: $0, selector, targetLabels, listedLabel) }
    let order: [SelectorJudgement.Effect] = [.lost, .different, .same, .idle]
    for effect in order {
      if let found = judgements.first(where: { $0.effect == effect }) { return found }
    }
    return SelectorJudgement(.foreign)
  }

  /// The flags without which Redline leaves out what redis_exporter serves of it.
  func flagsNeeded(by selector: Expression.Selector) -> [String] {
    names(of: selector).compactMap { flags[$0] }.filter { !$0.isEmpty }.map { $0.replacing("`", with: "") }
  }

  /// The names among those of the old exporter that it may select.
  func names(of selector: Expression.Selector) -> [String] {
    let matchers = selector.matchers.filter { $0.name == Labels.metricName }
    guard !matchers.isEmpty else { return [] }
    return old.byName.keys.filter { name in matchers.allSatisfy { $0.matches(value: name) } }.sorted()
  }

  private func judgement(
    of name: String, _ selector: Expression.Selector, _ targetLabels: Set<String>, _ listedLabel: String?
  ) -> SelectorJudgement {
    guard let change = changes[name], let before = old.byName[name] else { return SelectorJudgement(.idle) }
    let own = selector.matchers.filter { matcher in
      !matcher.value.contains(GrafanaVariables.anyValue)
        && !(targetLabels.contains(matcher.name) && !before.contains { $0[matcher.name] != nil })
    }
    func isSelected(_ labels: Labels) -> Bool { own.allSatisfy { $0.matches(labels) } }
    let selected = before.filter(isSelected)
    guard let example = selected.min() else { return SelectorJudgement(.idle) }
    let lost = selected.filter { change.lost.contains($0) || !(change.renamed[$0].map(isSelected) ?? true) }
    if let one = lost.min() { return loss(of: name, one, lost.count, selected.count, change) }
    let known = KnownDeviation.of(example, namespace: namespace)
    let used = (listedLabel.map { [$0] } ?? []) + own.map(\.name)
    if !change.lostLabels.isEmpty {
      return SelectorJudgement(
        .lost,
        "\(name) will not have the label\(change.lostLabels.count == 1 ? "" : "s") \(change.lostLabels.joined(separator: ", "))",
        why: known?.reason ?? "Redline puts other labels on it",
        advice: known?.advice ?? "take the label out of matchers, by and on"
          + (used.contains { change.lostLabels.contains($0) } ? "; this query names it" : ""))
    }
    var differences: [String] = []
    if !change.addedLabels.isEmpty {
      differences.append("has also the labels \(change.addedLabels.joined(separator: ", "))")
    }
    if let types = change.types { differences.append("is a \(types.new), no \(types.old)") }
    if selected.contains(where: { change.renamed[$0] != nil }), change.addedLabels.isEmpty {
      differences.append("has other values in its labels")
    }
    if change.gainedCount > 0 { differences.append("has \(change.gainedCount) series more") }
    guard !differences.isEmpty else { return SelectorJudgement(.same) }
    return SelectorJudgement(
      .different, "\(name) \(differences.joined(separator: ", "))", why: known?.reason ?? "",
      advice: known?.advice ?? "")
  }

  private func loss(
    of name: String, _ example: Labels, _ lost: Int, _ all: Int, _ change: MetricChange
  ) -> SelectorJudgement {
    let shown = "\(example)".cut(toBytes: ForeignText.byteLimit)
    let what =
      all == 1
      ? "\(name): its one series will not be there\(example.pairs.count > 1 ? ": \(shown)" : "")"
      : "\(name): \(lost == all ? "all \(all)" : "\(lost) of \(all)") series will not be there, such as \(shown)"
    if let known = KnownDeviation.of(example, namespace: namespace) {
      return SelectorJudgement(.lost, what, why: known.reason, advice: known.advice ?? "take it out of the query")
    }
    if let renamed = change.renamed[example] {
      return SelectorJudgement(
        .lost, what, why: "it will be \(renamed)", advice: "change the matchers so that they select both")
    }
    guard change.isMissing else {
      return SelectorJudgement(
        .lost, what, why: "Redline serves \(name), but not with these labels",
        advice: "compare the two pages: do both have the same flags?")
    }
    if let flag = flags[name], !flag.isEmpty {
      return SelectorJudgement(
        .lost, what, why: "Redline has \(name) with \(flag.replacing("`", with: "")) only, and was started without",
        advice: "start Redline with the flags that redis_exporter was started with")
    }
    if catalogue.metric(name) != nil {
      return SelectorJudgement(
        .lost, what, why: "Redline knows \(name), but does not show it of this server now",
        advice: "are both pages of the same server, and does Redline's log name something refused?")
    }
    return SelectorJudgement(
      .lost, what, why: "Redline has no such metric",
      advice: catalogue.suggestion(for: name).map { "write \($0)" } ?? "redline families lists what there is")
  }
}
