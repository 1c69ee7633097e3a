import Config
import PromQL

extension RuleSubject {
  /// Series that exist outside the catalogue wherever rules run.
  private static let synthetic: Set<String> = [
    "ALERTS", "ALERTS_FOR_STATE", "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added",
  ]

  /// Metrics, labels and values that are never exported, and variables of other tools left in a selector.
  mutating func lookAtSelectors() {
    for selector in expression.selectors {
      for matcher in selector.matchers where lookForVariable(matcher, in: selector) { continue }
      guard let name = selector.name, !recorded.contains(name), !Self.synthetic.contains(name) else { continue }
      guard let metric = catalogue.metric(name) else {
        if name.contains(":") {
          // By convention only rules give such names.
          note(
            .neverExportedMetric, at: selector.place, "no rule of these files records \(name), so this gives nothing",
            nearest(to: name, in: recorded.sorted()).map { "write \($0)" }
              ?? "check the file that records it together with this one")
          continue
        }
        note(
          .neverExportedMetric, at: selector.place, "redline never exports \(name), so this gives nothing",
          catalogue.suggestion(for: name).map { "write \($0)" }
            ?? "run redline families for what there is; a metric of another exporter belongs to a rule of Prometheus")
        continue
      }
      for matcher in selector.matchers { look(at: matcher, of: metric, in: selector) }
    }
  }

  private mutating func look(
    at matcher: LabelMatcher, of metric: MetricCatalogue.Metric, in selector: Expression.Selector
  ) {
    let label = matcher.name
    guard label != Labels.metricName, !matcher.matchesEmpty, !Self.isVariable(matcher.value) else { return }
    guard metric.labels.contains(label) else {
      if catalogue.targetLabels.contains(label) { return }
      let known = metric.labels.union(catalogue.targetLabels).sorted()
      note(
        .neverExportedLabel, at: selector.place,
        "redline puts no label \(label) on \(metric.name), so this selects nothing unless Prometheus adds it to the target",
        nearest(to: label, in: known).map { "write \($0)" }
          ?? "take it out or use one of \(known.joined(separator: ", "))")
      return
    }
    guard let values = metric.values[label], !values.contains(where: { matcher.matches(value: $0) }) else { return }
    let known = values.sorted()
    note(
      .neverExportedValue, at: selector.place,
      "\(label) of \(metric.name) is never \(matcher.comparison == .equal ? "\"\(matcher.value)\"" : "what \(matcher) asks for")",
      nearest(to: matcher.value, in: known).map { "write \"\($0)\"" }
        ?? "it is one of \(known.joined(separator: ", "))")
  }

  private mutating func lookForVariable(_ matcher: LabelMatcher, in selector: Expression.Selector) -> Bool {
    guard Self.isVariable(matcher.value) else { return false }
    note(
      .leftoverVariable, at: selector.place,
      "\(matcher) holds a variable of a dashboard or chart, which nobody fills in here, so it selects nothing",
      "take the matcher out, or write the value that is meant")
    return true
  }

  /// `$cluster`, `${cluster}`, `[[cluster]]`, `{{ .Values.x }}`.
  static func isVariable(_ text: String) -> Bool {
    if text.contains("{{") || (text.hasPrefix("[[") && text.hasSuffix("]]")) { return true }
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      rest = rest[rest.index(after: dollar)...]
      if let next = rest.first, next == "{" || next == "_" || (next.isASCII && next.isLetter) { return true }
    }
    return false
  }
}
