import PromQL

/// Evaluates the rules of groups over a series source and hands on what they give.
public struct GroupEvaluator: Sendable {
  /// Which rules an evaluation is for.
  public enum Scope: Sendable {
    case all
    /// Alerting rules alone: events run these at once, while recorded series keep to their interval.
    case alerting
    /// These alerting rules, by their places in the group.
    case only(Set<Int>)

    func includes(_ rule: Rule, at index: Int) -> Bool {
      switch (self, rule) {
      case (.all, _), (.alerting, .alerting): true
      case (.only(let places), .alerting): places.contains(index)
      case (_, .recording): false
      }
    }
  }

  public let source: any SeriesSource
  public let options: QueryOptions
  public let dialect: Dialect
  public let externalLabels: [String: String]
  public let externalURL: String
  /// How far back groups look that say nothing of it.
  public let queryOffsetMilliseconds: Int64
  /// Takes one sample; what it throws makes the rule's health bad.
  public let append: @Sendable (Labels, Sample) throws -> Void

  public init(
    source: any SeriesSource, options: QueryOptions = QueryOptions(), dialect: Dialect = .prometheus3,
    externalLabels: [String: String] = [:], externalURL: String = "", queryOffsetMilliseconds: Int64 = 0,
    append: @escaping @Sendable (Labels, Sample) throws -> Void
  ) {
    self.source = source
    self.options = options
    self.dialect = dialect
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.queryOffsetMilliseconds = queryOffsetMilliseconds
    self.append = append
  }

  /// Evaluates the rules of a group in their order; what one records the next can read.
  ///
  /// A rule whose query fails keeps its alerts as they are. A series that a rule gave before and gives no more gets a
  /// staleness marker.
  public func evaluate(_ state: inout GroupState, atMilliseconds now: Int64, scope: Scope = .all) {
    let sampleTime = now - (state.group.queryOffsetMilliseconds ?? queryOffsetMilliseconds)
    for (index, rule) in state.group.rules.enumerated() {
      guard scope.includes(rule, at: index) else { continue }
      let began = ContinuousClock.now
      evaluate(rule, &state.rules[index], limit: state.group.limit, now: now, sampleTime: sampleTime)
      state.rules[index].evaluationSeconds = (ContinuousClock.now - began).seconds
    }
    for labels in state.orphans.sorted() { markStale(labels, at: sampleTime) }
    state.orphans = []
  }

  /// Ends a series. What the store says against it is no news: another rule may give the series now.
  public func markStale(_ labels: Labels, at sampleTime: Int64) {
    try? append(labels, Sample(timestampMilliseconds: sampleTime, value: .stalenessMarker))
  }

  private func evaluate(_ rule: Rule, _ state: inout RuleState, limit: Int, now: Int64, sampleTime: Int64) {
    state.lastEvaluationMilliseconds = now
    let samples: [RuleSample]
    do {
      let result = try rule.query.value(atMilliseconds: sampleTime, in: source, options: options)
      state.annotations = result.annotations
      let vector = try Self.vector(result.value)
      switch rule {
      case .recording(let rule): samples = try record(rule, vector, limit: limit)
      case .alerting(let rule):
        samples = try alert(rule, vector, &state.tracker, limit: limit, now: now, at: sampleTime)
      }
    } catch {
      (state.health, state.lastError) = (.bad, "\(error)")
      return
    }
    (state.health, state.lastError) = (.good, nil)
    var given: Set<Labels> = []
    for sample in samples {
      do {
        try append(sample.labels, Sample(timestampMilliseconds: sampleTime, value: sample.value))
        given.insert(sample.labels)
      } catch {
        (state.health, state.lastError) = (.bad, "\(error)")
      }
    }
    for labels in state.series.subtracting(given).sorted() { markStale(labels, at: sampleTime) }
    state.series = given
  }

  static func vector(_ value: QueryValue) throws(RuleError) -> [RuleSample] {
    switch value {
    case .vector(let samples): return samples.map { RuleSample(labels: $0.labels, value: $0.value) }
    case .scalar(let value): return [RuleSample(labels: .empty, value: value)]
    case .string, .matrix: throw .noVector
    }
  }

  private func record(
    _ rule: RecordingRule, _ vector: [RuleSample], limit: Int
  ) throws(RuleError) -> [RuleSample] {
    let own = [Labels.Pair(Labels.metricName, rule.name)] + rule.labels.map { Labels.Pair($0.key, $0.value) }
    let samples = vector.map { RuleSample(labels: Labels($0.labels.pairs + own), value: $0.value) }
    guard Set(samples.map(\.labels)).count == samples.count else { throw .duplicateSeries }
    guard limit == 0 || samples.count <= limit else {
      throw RuleError("exceeded limit of \(limit) with \(samples.count) series")
    }
    return samples
  }

  private func alert(
    _ rule: AlertingRule, _ vector: [RuleSample], _ tracker: inout AlertTracker, limit: Int, now: Int64,
    at sampleTime: Int64
  ) throws(RuleError) -> [RuleSample] {
    let context = templateContext(now: now)
    let found = vector.map { sample in
      let pairs = sample.labels.pairs
      let data = TemplateData(
        labels: Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.value) }), externalLabels: externalLabels,
        externalURL: externalURL, value: sample.value)
      let own = rule.labels.map { Labels.Pair($0.key, $0.value.expand(data, in: context)) }
      let labels = Labels(
        pairs.filter { $0.name != Labels.metricName } + own + [Labels.Pair(AlertSeries.alertName, rule.name)])
      return Alert(
        labels: labels, annotations: rule.annotations.mapValues { $0.expand(data, in: context) }, value: sample.value,
        activeAtMilliseconds: now)
    }
    try tracker.update(with: found, timing: timing(of: rule), limit: limit, atMilliseconds: now)
    return AlertSeries.samples(of: tracker.active, rule: rule)
  }

  func timing(of rule: AlertingRule) -> AlertTracker.Timing {
    AlertTracker.Timing(
      forMilliseconds: rule.forMilliseconds, keepFiringForMilliseconds: rule.keepFiringForMilliseconds,
      demotesOnRaisedFor: dialect == .prometheus3)
  }

  /// Queries in templates look at the time of the evaluation itself, as in Prometheus, not at the group's offset.
  private func templateContext(now: Int64) -> TemplateContext {
    TemplateContext(timeSeconds: Double(now) / 1000, externalURL: externalURL) { [self] text in
      let query = try Query(text, dialect: dialect)
      let result = try query.value(atMilliseconds: now, in: source, options: options)
      return try Self.vector(result.value).map { sample in
        let labels = sample.labels.pairs.map { ($0.name, $0.value) }
        return TemplateSample(labels: Dictionary(uniqueKeysWithValues: labels), value: sample.value)
      }
    }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
