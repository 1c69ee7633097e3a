import PromQL
import Runtime
import Storage

/// What one Alertmanager was told, as it is written down for people: the first notice of each episode, its end, and what
/// was not accepted, once until it is. Repeats of a notice are no news. No clock and no I/O.
struct NotificationLog: Sendable {
  private struct Told {
    var isResolved: Bool
    var atMilliseconds: Int64
  }

  /// Alerts that nothing was heard of for so long are forgotten here.
  static let memoryMilliseconds: Int64 = 4 * AlertTracker.resolvedRetentionMilliseconds
  /// Alerts that could not be delivered for so long are written down again.
  static let untoldMilliseconds: Int64 = 24 * 3_600_000
  /// Past it all are forgotten, and some notices are written down twice.
  static let limit = 50_000

  private var told: [OutgoingNotification.Key: Told] = [:]
  /// When what could not be delivered was first tried; it may still be.
  private var untold: [OutgoingNotification.Key: Int64] = [:]
  private var prunedAt: Int64 = .min

  /// Takes note of what was accepted.
  ///
  /// - Returns: what it had not been told before.
  mutating func news(of accepted: [OutgoingNotification], atMilliseconds now: Int64) -> [OutgoingNotification] {
    prune(atMilliseconds: now)
    return accepted.filter { alert in
      untold[alert.key] = nil
      let before = told.updateValue(Told(isResolved: alert.isResolved, atMilliseconds: now), forKey: alert.key)
      return before?.isResolved != alert.isResolved
    }
  }

  /// Takes note of what waits while nothing can be delivered.
  ///
  /// - Returns: what was news and was not written down since something of the same alert was last accepted: one for each
  ///   alert and outage, however often it is tried.
  mutating func undelivered(
    _ waiting: [OutgoingNotification], atMilliseconds now: Int64
  ) -> [OutgoingNotification] {
    prune(atMilliseconds: now)
    return waiting.filter { alert in
      guard told[alert.key]?.isResolved != alert.isResolved, untold[alert.key] == nil else { return false }
      untold[alert.key] = now
      return true
    }
  }

  /// What was written down before this run, by Alertmanager: what was told then is no news now.
  ///
  /// - Parameter records: the newest first.
  static func logs(of records: [StoredNotification], atMilliseconds now: Int64) -> [String: NotificationLog] {
    var logs: [String: NotificationLog] = [:]
    for record in records.reversed() {
      guard let members = (try? JSONReader.value(Array(record.labels.utf8)))?.members else { continue }
      let labels = Dictionary(
        members.compactMap { member in member.value.string.map { (member.name, $0) } }, uniquingKeysWith: { $1 })
      let key = OutgoingNotification.Key(labels: labels, startsAtMilliseconds: record.startsAtMs)
      if record.outcome == StoredNotification.accepted {
        logs[record.alertmanager, default: NotificationLog()].told[key] = Told(
          isResolved: record.state == "resolved", atMilliseconds: now)
        logs[record.alertmanager]?.untold[key] = nil
      } else if record.outcome.hasPrefix(StoredNotification.undelivered) {
        logs[record.alertmanager, default: NotificationLog()].untold[key] = record.atMs
      }
    }
    return logs
  }

  private mutating func prune(atMilliseconds now: Int64) {
    guard now >= prunedAt + Self.memoryMilliseconds / 4 || max(told.count, untold.count) > Self.limit else { return }
    told = told.filter { now - $0.value.atMilliseconds < Self.memoryMilliseconds }
    if told.count > Self.limit { told = [:] }
    untold = untold.filter { now - $0.value < Self.untoldMilliseconds }
    if untold.count > Self.limit { untold = [:] }
    prunedAt = now
  }
}

extension StoredNotification {
  /// Outcomes: of what was told, and the beginning of what could not be delivered yet.
  static let accepted = "accepted"
  static let undelivered = "not delivered: "

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

  /// What could not be delivered yet.
  ///
  /// - Parameter errorClass: why, such as `connect`.
  init(
    _ alert: OutgoingNotification, to alertmanager: String, atMilliseconds now: Int64, undelivered errorClass: String
  ) {
    self.init(alert, to: alertmanager, atMilliseconds: now, outcome: Self.undelivered + errorClass)
  }
}
