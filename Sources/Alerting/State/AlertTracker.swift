import PromQL

/// The alerts of one rule from evaluation to evaluation: what is pending, firing, kept firing and lately resolved.
///
/// No clock and no I/O; every time comes from the caller.
public struct AlertTracker: Sendable {
  /// How long a resolved alert is kept, so that an Alertmanager that missed its end hears of it again.
  public static let resolvedRetentionMilliseconds: Int64 = 15 * 60_000

  /// The durations of a rule that govern its alerts.
  public struct Timing: Sendable, Equatable {
    public let forMilliseconds: Int64
    public let keepFiringForMilliseconds: Int64
    /// A firing alert that is younger than a `for` raised since goes back to pending: Prometheus 3 does so, 2 does not.
    public let demotesOnRaisedFor: Bool

    public init(forMilliseconds: Int64, keepFiringForMilliseconds: Int64 = 0, demotesOnRaisedFor: Bool = true) {
      self.forMilliseconds = forMilliseconds
      self.keepFiringForMilliseconds = keepFiringForMilliseconds
      self.demotesOnRaisedFor = demotesOnRaisedFor
    }
  }

  private var byLabels: [Labels: Alert] = [:]
  /// Restored alerts whose expression has not held since; each stays as it is until then or until the time.
  private var unseen: (labels: Set<Labels>, untilMilliseconds: Int64) = ([], .min)

  public init() {}

  /// Every alert that is kept, resolved ones included, sorted by labels.
  public var all: [Alert] { byLabels.values.sorted { $0.labels < $1.labels } }

  /// Pending and firing alerts, sorted by labels.
  public var active: [Alert] { all.filter { $0.state != .inactive } }

  /// The gravest state of any alert.
  public var state: AlertState { byLabels.values.map(\.state).max() ?? .inactive }

  /// Takes in what the expression gave at `now`.
  ///
  /// - Parameters:
  ///   - found: a pending alert for each sample, with `now` as its beginning; label sets must differ.
  ///   - limit: the most pending and firing alerts; 0 is none. Past it every alert is dropped and an error thrown.
  public mutating func update(
    with found: [Alert], timing: Timing, limit: Int, atMilliseconds now: Int64
  ) throws(RuleError) {
    let present = Set(found.map(\.labels))
    guard present.count == found.count else { throw .duplicateAlerts }
    for alert in found {
      if let known = byLabels[alert.labels], known.state != .inactive {
        byLabels[alert.labels]?.value = alert.value
        byLabels[alert.labels]?.annotations = alert.annotations
      } else {
        byLabels[alert.labels] = alert
      }
    }
    unseen.labels.subtract(present)
    if now >= unseen.untilMilliseconds { unseen.labels = [] }
    for (labels, alert) in byLabels where !unseen.labels.contains(labels) {
      byLabels[labels] =
        present.contains(labels)
        ? Self.holding(alert, timing, at: now) : Self.missing(alert, timing, at: now)
    }
    let activeCount = byLabels.values.count { $0.state != .inactive }
    guard limit == 0 || activeCount <= limit else {
      byLabels = [:]
      throw RuleError("exceeded limit of \(limit) with \(activeCount) alerts")
    }
  }

  /// An alert whose expression holds at `now`.
  private static func holding(_ alert: Alert, _ timing: Timing, at now: Int64) -> Alert {
    var alert = alert
    alert.keepFiringSinceMilliseconds = nil
    return promoted(alert, timing, at: now)
  }

  /// An alert that the expression no longer gives; nil when it is to be forgotten.
  private static func missing(_ alert: Alert, _ timing: Timing, at now: Int64) -> Alert? {
    var alert = alert
    switch alert.state {
    case .pending: return nil
    case .inactive:
      let resolvedAt = alert.resolvedAtMilliseconds ?? now
      return now - resolvedAt > resolvedRetentionMilliseconds ? nil : alert
    case .firing:
      if timing.keepFiringForMilliseconds > 0 {
        let since = alert.keepFiringSinceMilliseconds ?? now
        alert.keepFiringSinceMilliseconds = since
        if now - since < timing.keepFiringForMilliseconds { return promoted(alert, timing, at: now) }
      }
      alert.state = .inactive
      alert.resolvedAtMilliseconds = now
      return alert
    }
  }

  private static func promoted(_ alert: Alert, _ timing: Timing, at now: Int64) -> Alert {
    var alert = alert
    let isDue = now - alert.activeAtMilliseconds >= timing.forMilliseconds
    if alert.state == .pending, isDue {
      alert.state = .firing
      alert.firedAtMilliseconds = now
    } else if alert.state == .firing, !isDue, timing.demotesOnRaisedFor, (alert.firedAtMilliseconds ?? .min) <= now {
      // What began to fire after `now` seems young only because the clock was put back.
      alert.state = .pending
      alert.firedAtMilliseconds = nil
      alert.lastSentAtMilliseconds = nil
      alert.keepFiringSinceMilliseconds = nil
    }
    return alert
  }

  // MARK: Keeping and telling

  /// Takes over alerts as they were kept elsewhere: a restart's. What is known already stays.
  ///
  /// - Parameter holdUntil: until then an alert that the expression does not give is no news: right after a start there
  ///   are hardly any samples.
  public mutating func restore(_ alerts: [Alert], holdingUntilMilliseconds holdUntil: Int64 = .min) {
    for alert in alerts where byLabels[alert.labels] == nil {
      byLabels[alert.labels] = alert
      unseen.labels.insert(alert.labels)
    }
    unseen.untilMilliseconds = max(unseen.untilMilliseconds, holdUntil)
  }

  /// Keeps what was restored and not seen since for longer: there were no samples for that time.
  public mutating func extendHold(byMilliseconds distance: Int64) {
    if unseen.untilMilliseconds != .min { unseen.untilMilliseconds += distance }
  }

  /// Takes note that the clock was set; see ``Alert/shifted(byMilliseconds:)``.
  public mutating func shift(byMilliseconds distance: Int64) {
    byLabels = byLabels.mapValues { $0.shifted(byMilliseconds: distance) }
    extendHold(byMilliseconds: distance)
  }

  /// When the next pending alert is to fire, if it goes on to hold.
  public func nextFiringMilliseconds(_ timing: Timing) -> Int64? {
    byLabels.values.lazy.filter { $0.state == .pending }
      .map { $0.activeAtMilliseconds + timing.forMilliseconds }.min()
  }

  /// The notices due at `now`, which count as sent from here on.
  ///
  /// Firing and resolved alerts are due when they have ended since they were last sent, and again after `resendDelay`.
  /// A firing one holds for four times the longer of interval and delay: two failed tries must not resolve it.
  public mutating func takeNotices(
    atMilliseconds now: Int64, intervalMilliseconds: Int64, resendDelayMilliseconds: Int64 = 60_000
  ) -> [Notification] {
    let holdsUntil = now + 4 * max(intervalMilliseconds, resendDelayMilliseconds)
    var notices: [Notification] = []
    for alert in all where Self.isDue(alert, at: now, resendDelayMilliseconds) {
      byLabels[alert.labels]?.lastSentAtMilliseconds = now
      notices.append(
        Notification(
          labels: alert.labels, annotations: alert.annotations,
          startsAtMilliseconds: alert.firedAtMilliseconds ?? alert.activeAtMilliseconds,
          endsAtMilliseconds: alert.resolvedAtMilliseconds ?? holdsUntil,
          isResolved: alert.resolvedAtMilliseconds != nil))
    }
    return notices
  }

  private static func isDue(_ alert: Alert, at now: Int64, _ resendDelayMilliseconds: Int64) -> Bool {
    if alert.state == .pending { return false }
    guard let lastSent = alert.lastSentAtMilliseconds else { return true }
    if let resolved = alert.resolvedAtMilliseconds, resolved > lastSent { return true }
    return lastSent + resendDelayMilliseconds < now
  }
}
