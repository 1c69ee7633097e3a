import PromQL

/// A sample that a rule gives to the series store.
public struct RuleSample: Sendable, Equatable {
  public let labels: Labels
  public let value: Double
}

/// The series about a rule's alerts.
enum AlertSeries {
  static let alertName = "alertname"
  static let stateLabel = "alertstate"

  /// `ALERTS` with the state and `ALERTS_FOR_STATE` with the second in which each alert began, for those not inactive.
  static func samples(of alerts: [Alert], rule: AlertingRule) -> [RuleSample] {
    // A rule label that a template made empty stays here as written: so does Prometheus, and series must be the same.
    let written = rule.labels.map { Labels.Pair($0.key, $0.value.text) }
    return alerts.flatMap { alert in
      let shared = written + alert.labels.pairs + [Labels.Pair(alertName, rule.name)]
      let state = Labels(
        shared + [Labels.Pair(Labels.metricName, "ALERTS"), Labels.Pair(stateLabel, alert.state.rawValue)])
      let since = Labels(shared + [Labels.Pair(Labels.metricName, "ALERTS_FOR_STATE")])
      let seconds = alert.activeAtMilliseconds.quotientFloored(by: 1000)
      return [RuleSample(labels: state, value: 1), RuleSample(labels: since, value: Double(seconds))]
    }
  }
}

extension Int64 {
  fileprivate func quotientFloored(by divisor: Int64) -> Int64 {
    self >= 0 ? self / divisor : -((-(self + 1)) / divisor) - 1
  }
}
