import Metrics
import PromQL
import Runtime

/// How the evaluation of rules is doing.
public enum RuleFamilies {
  private static let group = ["rule_group"]

  static let iterations = Family.counter(
    "exporter_rule_group_iterations_total", "Scheduled evaluations of a rule group.", labels: group)
  static let missed = Family.counter(
    "exporter_rule_group_iterations_missed_total",
    "Scheduled evaluations of a rule group that were missed because an earlier one took too long.",
    labels: group)
  static let slow = Family.counter(
    "exporter_rule_group_iterations_slow_total", "Evaluations of a rule group that took longer than its interval.",
    labels: group)
  static let urgent = Family.counter(
    "exporter_rule_group_event_evaluations_total",
    "Evaluations of alerting rules outside their schedule, because of an event.",
    labels: group)
  static let evaluations = Family.counter(
    "exporter_rule_evaluations_total", "Evaluations of single rules.", labels: group)
  static let failures = Family.counter(
    "exporter_rule_evaluation_failures_total", "Evaluations of single rules that failed; the page /alerts says why.",
    labels: group)
  static let duration = Family.gauge(
    "exporter_rule_group_last_duration_seconds", "Duration of the last evaluation of a rule group.", labels: group,
    unit: .seconds)
  static let lastEvaluation = Family.gauge(
    "exporter_rule_group_last_evaluation_timestamp_seconds",
    "Time of the last evaluation of a rule group, in seconds since the epoch.", labels: group,
    unit: .seconds)
  static let interval = Family.gauge(
    "exporter_rule_group_interval_seconds", "Interval between two evaluations of a rule group.", labels: group,
    unit: .seconds)
  static let rules = Family.gauge("exporter_rule_group_rules", "Rules in a rule group.", labels: group)

  static let alerts = Family.gauge("exporter_alerts", "Alerts by state.", labels: ["state"])
  static let clockAhead = Family.gauge(
    "exporter_evaluation_clock_ahead_seconds",
    "Seconds that the time of evaluations is ahead of the wall clock after the clock was set back; falls to 0 within seconds.",
    unit: .seconds)
  static let storedSeries = Family.gauge("exporter_history_series", "Series held in memory for rules and queries.")
  static let storedSamples = Family.gauge("exporter_history_samples", "Samples held in memory for rules and queries.")
  static let storedBytes = Family.gauge(
    "exporter_history_bytes", "Memory that samples for rules and queries take, with their labels.", unit: .bytes)
  static let refusedSamples = Family.counter(
    "exporter_history_refused_samples_total",
    "Samples that rules and queries miss: they were out of order, another source already provides their series, or memory was full."
  )
  static let scrapeSeconds = Family.counter(
    "exporter_history_intake_seconds_total", "Time spent on storing samples for rules and queries.", unit: .seconds)

  public static let all = [
    iterations, missed, slow, urgent, evaluations, failures, duration, lastEvaluation, interval, rules, alerts,
    clockAhead, storedSeries, storedSamples, storedBytes, refusedSamples, scrapeSeconds,
  ]
}

extension RuleEngine {
  /// The evaluation's own figures, for a page.
  public nonisolated func samples() -> Samples {
    var sink = SampleSink()
    var pending = 0
    var firing = 0
    let all = zip(runnersNow, views)
    for (runner, view) in all {
      let state = view.state
      let name = LabelValue.text("\(state.group.file);\(state.group.name)")
      sink.add(RuleFamilies.iterations, Double(view.counts.iterations), name)
      sink.add(RuleFamilies.missed, Double(view.counts.missedIterations), name)
      sink.add(RuleFamilies.slow, Double(view.counts.slowIterations), name)
      sink.add(RuleFamilies.urgent, Double(view.counts.urgentIterations), name)
      sink.add(RuleFamilies.evaluations, Double(view.counts.evaluations), name)
      sink.add(RuleFamilies.failures, Double(view.counts.failures), name)
      sink.add(RuleFamilies.duration, state.evaluationSeconds, name)
      if let time = state.lastEvaluationMilliseconds {
        sink.add(RuleFamilies.lastEvaluation, Double(time) / 1000, name)
      }
      sink.add(RuleFamilies.interval, Double(runner.intervalMilliseconds) / 1000, name)
      sink.add(RuleFamilies.rules, Double(state.group.rules.count), name)
      for alert in state.rules.lazy.flatMap(\.tracker.all) {
        if alert.state == .pending { pending += 1 } else if alert.state == .firing { firing += 1 }
      }
    }
    sink.add(RuleFamilies.alerts, Double(pending), .text(AlertState.pending.rawValue))
    sink.add(RuleFamilies.alerts, Double(firing), .text(AlertState.firing.rawValue))
    sink.add(RuleFamilies.clockAhead, Double(clockAheadMilliseconds) / 1000)
    let (size, counters) = (series.size, series.counters)
    sink.add(RuleFamilies.storedSeries, Double(size.seriesCount))
    sink.add(RuleFamilies.storedSamples, Double(size.sampleCount))
    sink.add(RuleFamilies.storedBytes, Double(size.byteCount))
    sink.add(
      RuleFamilies.refusedSamples,
      Double(counters.outOfOrder + counters.duplicates + counters.conflicts + counters.refusedForSpace))
    sink.add(RuleFamilies.scrapeSeconds, shown.withLock(\.scrapeSeconds))
    return sink.finish()
  }
}
