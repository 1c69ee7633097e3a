import PromQL

extension RuleSubject {
  private static let ofCounters: Set<String> = ["rate", "irate", "increase"]
  /// Functions that see nothing in fewer than two samples.
  private static let ofPairs: Set<String> = [
    "rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "changes", "resets",
  ]

  /// Functions over ranges that do not fit the metric or see too little of it.
  mutating func lookAtFunctions() {
    for case .call(let call) in expression.all {
      for case .range(let range) in call.arguments.map(\.unwrapped) {
        lookAtKind(call, range)
        lookAtInfo(call, range)
        lookAtLength(call, range)
      }
    }
  }

  private mutating func lookAtKind(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    let name = call.function.name
    guard Self.ofCounters.contains(name), let metric = range.selector.name.flatMap(catalogue.metric),
      metric.kind == .gauge, !metric.isInfo
    else { return }
    let length = text(range.place)
    if name == "increase" {
      note(
        .increaseOfLevel, at: call.place,
        "\(metric.name) is a level, and increase takes each fall for a counter's restart and adds it up",
        "write delta(\(length)) for its change, or max_over_time and min_over_time for how far it went")
    } else {
      note(
        .rateOfGauge, at: call.place,
        "\(metric.name) is a gauge, and \(name) takes each fall for a counter's restart",
        "write deriv(\(length)) for its slope, or find the counter behind it with redline families")
    }
  }

  /// A change of what an info metric tells makes a new series; within one series nothing ever changes.
  private mutating func lookAtInfo(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    guard Self.ofPairs.contains(call.function.name), let metric = range.selector.name.flatMap(catalogue.metric),
      metric.isInfo
    else { return }
    let isRole = metric.labels.contains("role")
    note(
      .hiddenRoleChange, at: call.place,
      "\(metric.name) is always 1 and tells things by its labels: a change makes a new series, and \(call.function.name) "
        + "of each one stays 0",
      isRole
        ? "write increase(redis_failovers_total[10m]) > 0, or changes(redis_instance_role{role=\"master\"}[10m]) > 0"
        : "count its series instead, or compare it with itself: \(metric.name) unless \(metric.name) offset 5m")
  }

  private mutating func lookAtLength(_ call: Expression.Call, _ range: Expression.RangeSelector) {
    let interval = settings.pollIntervalMilliseconds
    guard Self.ofPairs.contains(call.function.name), range.rangeMilliseconds < 2 * interval else { return }
    let length = RuleDuration.text(milliseconds: range.rangeMilliseconds)
    note(
      .shortRange, at: call.place,
      "\(call.function.name) needs two samples, and \(length) holds fewer at one every "
        + RuleDuration.text(milliseconds: interval),
      "write [\(RuleDuration.text(milliseconds: 4 * interval))] or more, so that one missed poll does not empty it")
  }

  /// Ranges and offsets beyond what is kept.
  mutating func lookAtHistory() {
    guard let history = settings.historyMilliseconds else { return }
    guard let reach = rule.query.reaches().compactMap(\.milliseconds).max(), reach > history else { return }
    note(
      .missingHistory, at: expression.place,
      "it looks back \(RuleDuration.text(milliseconds: reach)), and samples are kept for "
        + RuleDuration.text(milliseconds: history),
      "shorten its ranges and offsets, or keep more history")
  }
}
