import Config
import PromQL
import Runtime

/// Where an alert stands. Resolved alerts are inactive and kept for a while.
public enum AlertState: String, Sendable, Comparable {
  case inactive, pending, firing

  private var rank: Int {
    switch self {
    case .inactive: 0
    case .pending: 1
    case .firing: 2
    }
  }

  public static func < (a: AlertState, b: AlertState) -> Bool { a.rank < b.rank }
}

/// One label set for which a rule's expression holds or held. Times are milliseconds since 1970.
public struct Alert: Sendable, Equatable {
  /// The alert's identity, `alertname` included.
  public let labels: Labels
  public var annotations: [String: String]
  /// What the expression last gave.
  public var value: Double
  public var state: AlertState
  /// When the expression began to hold.
  public var activeAtMilliseconds: Int64
  public var firedAtMilliseconds: Int64?
  /// When the alert ended; it was firing until then.
  public var resolvedAtMilliseconds: Int64?
  /// Since when the alert fires only because its rule keeps it firing.
  public var keepFiringSinceMilliseconds: Int64?
  public var lastSentAtMilliseconds: Int64?

  public init(
    labels: Labels, annotations: [String: String], value: Double, state: AlertState = .pending,
    activeAtMilliseconds: Int64, firedAtMilliseconds: Int64? = nil, resolvedAtMilliseconds: Int64? = nil,
    keepFiringSinceMilliseconds: Int64? = nil, lastSentAtMilliseconds: Int64? = nil
  ) {
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.state = state
    self.activeAtMilliseconds = activeAtMilliseconds
    self.firedAtMilliseconds = firedAtMilliseconds
    self.resolvedAtMilliseconds = resolvedAtMilliseconds
    self.keepFiringSinceMilliseconds = keepFiringSinceMilliseconds
    self.lastSentAtMilliseconds = lastSentAtMilliseconds
  }
}

extension Alert {
  /// The alert after the clock was set: nothing has lasted longer for that, or shorter.
  ///
  /// When a firing alert began stays as it was told, even where that is in the future now.
  func shifted(byMilliseconds distance: Int64) -> Alert {
    var alert = self
    if state == .pending { alert.activeAtMilliseconds += distance }
    alert.keepFiringSinceMilliseconds? += distance
    alert.lastSentAtMilliseconds? += distance
    alert.resolvedAtMilliseconds? += distance
    return alert
  }
}

/// What an Alertmanager must learn about one alert. Times are milliseconds since 1970.
public struct Notification: Sendable, Equatable {
  public let labels: Labels
  public let annotations: [String: String]
  public let startsAtMilliseconds: Int64
  /// The end of a resolved alert; of a firing one, until when it holds unless told again.
  public let endsAtMilliseconds: Int64
  public let isResolved: Bool

  /// The same with other annotations.
  public func annotated(_ annotations: [String: String]) -> Notification {
    Notification(
      labels: labels, annotations: annotations, startsAtMilliseconds: startsAtMilliseconds,
      endsAtMilliseconds: endsAtMilliseconds, isResolved: isResolved)
  }
}

/// Why a rule gave nothing this time.
public struct RuleError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }

  static let duplicateAlerts = RuleError(
    "vector contains metrics with the same labelset after applying alert labels")
  static let duplicateSeries = RuleError(
    "vector contains metrics with the same labelset after applying rule labels")
  static let noVector = RuleError("rule result is not a vector or scalar")
}

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

/// Label sets as the files hold them.
extension Labels {
  /// A JSON object of texts; equal sets are written alike.
  var json: String { JSONWriter.text { $0.labels(self) } }

  /// - Returns: nil for what is no JSON object of texts.
  init?(json: String) {
    guard let texts = try? JSONReader.texts(Array(json.utf8)) else { return nil }
    self.init(texts.map { Labels.Pair($0.key, $0.value) })
  }
}

extension JSONWriter {
  public mutating func labels(_ labels: Labels) {
    object { json in for pair in labels.pairs { json.field(pair.name, pair.value) } }
  }
}
