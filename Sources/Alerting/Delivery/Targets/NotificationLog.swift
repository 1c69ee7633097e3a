import PromQL
import Runtime
import Storage

/// What one Alertmanager was told, as it is written down for people: the first notice of each episode, its end, and what
/// was never accepted. Repeats of a notice are no news. No clock and no I/O.
struct NotificationLog: Sendable {
  private struct Told {
    var isResolved: Bool
    var atMilliseconds: Int64
  }

  /// Alerts that nothing was heard of for so long are forgotten here.
  static let memoryMilliseconds: Int64 = 4 * AlertTracker.resolvedRetentionMilliseconds
  /// Past it all are forgotten, and some notices are written down twice.
  static let limit = 50_000

  private var told: [OutgoingNotification.Key: Told] = [:]
  private var prunedAt: Int64 = .min

  /// Takes note of what was accepted.
  ///
  /// - Returns: what it had not been told before.
  mutating func news(of accepted: [OutgoingNotification], atMilliseconds now: Int64) -> [OutgoingNotification] {
    if now >= prunedAt + Self.memoryMilliseconds / 4 || told.count > Self.limit {
      told = told.filter { now - $0.value.atMilliseconds < Self.memoryMilliseconds }
      if told.count > Self.limit { told = [:] }
      prunedAt = now
    }
    return accepted.filter { alert in
      let before = told.updateValue(Told(isResolved: alert.isResolved, atMilliseconds: now), forKey: alert.key)
      return before?.isResolved != alert.isResolved
    }
  }
}

extension StoredNotification {
  /// - Parameters:
  ///   - alertmanager: where it was to go, without any password.
  ///   - outcome: what became of it, in words for people.
  init(_ alert: OutgoingNotification, to alertmanager: String, atMilliseconds now: Int64, outcome: String) {
    self.init(
      atMs: now, alertname: alert.key.labels[AlertSeries.alertName] ?? "",
      labels: JSONWriter.text { $0.texts(alert.key.labels) }, state: alert.isResolved ? "resolved" : "firing",
      startsAtMs: alert.key.startsAtMilliseconds, endsAtMs: alert.isResolved ? alert.endsAtMilliseconds : nil,
      alertmanager: alertmanager, outcome: outcome)
  }
}
