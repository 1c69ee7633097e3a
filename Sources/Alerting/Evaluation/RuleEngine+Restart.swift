import Logging
import PromQL
import Runtime

/// What an engine takes over from the last run.
extension RuleEngine {
  /// How far the alerts of the last run are taken up.
  struct Legacy {
    var isTakenUp = false
    /// Whether it is decided what they mean.
    var isSettled = false
    /// Until when a file that cannot be read yet may still bring them, milliseconds since 1970.
    var settlesAt = Int64.max
  }

  /// Right after a start there are few samples: what was restored is kept without them until the first polls have come
  /// and the rule's ranges are filled, but not longer than the second of these.
  static let holdMilliseconds: ClosedRange<Int64> = 15_000...150_000
  /// Until the rest of the history is left out, so that the first evaluation need not wait longer.
  static let intakeBudget: Duration = .seconds(10)

  // MARK: Alerts

  func restore(at now: Int64) {
    guard let stateStore = durable?.alerts, !legacy.isTakenUp else { return }
    legacy.settlesAt = now + Self.holdMilliseconds.upperBound
    guard stateStore.isRestored else { return }
    legacy.isTakenUp = true
    let shift = stateStore.clockShiftMilliseconds(offset: clock.withLock { $0.offsetMilliseconds })
    let kept = stateStore.alerts()
    var count = 0
    let taken: (String) -> [Alert] = { rule in
      let alerts = (kept[rule] ?? []).map { $0.shifted(byMilliseconds: shift) }
      count += alerts.count
      return alerts
    }
    rules.restore(holdingUntilMilliseconds: { now + Self.holdMilliseconds(of: $0) }, taken)
    if count > 0 { log.info("alerts of the last run restored", metadata: ["count": "\(count)"]) }
  }

  /// Takes up what the last run left when its file can be read only now, and says when it is decided what that means.
  func settleStored() async {
    guard let stateStore = durable?.alerts, !legacy.isSettled else { return }
    let now = nowMilliseconds
    if !legacy.isTakenUp, stateStore.isRestored {
      legacy.isTakenUp = true
      let kept = stateStore.alerts()
      var count = 0
      for runner in runnersNow {
        count += await runner.restore(kept) { now + Self.holdMilliseconds(of: $0) }
      }
      log.info(
        "alerts of the last run restored late: their file could not be read before", metadata: ["count": "\(count)"])
    }
    guard legacy.isTakenUp || now >= legacy.settlesAt else { return }
    legacy.isSettled = true
    stateStore.settle()
    if !legacy.isTakenUp {
      log.warning("the alerts of the last run cannot be read: those whose condition still holds start over")
    }
  }

  static func holdMilliseconds(of rule: Rule) -> Int64 {
    var ranges = QueryOptions()
    ranges.lookbackMilliseconds = 0
    let longest = rule.query.reaches(options: ranges).compactMap(\.milliseconds).max() ?? 0
    return min(holdMilliseconds.lowerBound + longest, holdMilliseconds.upperBound)
  }

  // MARK: History

  /// Since when samples of a metric are kept that the last run left, milliseconds since 1970; nil where it left none.
  ///
  /// - Parameter name: empty for any metric.
  public nonisolated func historyBeginMilliseconds(of name: String) -> Int64? {
    shown.withLock { name.isEmpty ? $0.historyBeginnings.values.min() : $0.historyBeginnings[name] }
  }

  func loadHistory() async {
    guard let baselines = durable?.baselines, var intake else { return }
    let began = ContinuousClock.now
    var hurries: Bool { ContinuousClock.now - began > Self.intakeBudget }
    while !Task.isCancelled, let span = intake.nextSpan(hurries: hurries) {
      intake.take(await baselines.kept(span))
      self.intake = intake
    }
    let tookMilliseconds = Int64(clamping: (ContinuousClock.now - began).seconds * 1000)
    for runner in runnersNow { await runner.extendHold(byMilliseconds: tookMilliseconds) }
    guard !Task.isCancelled else { return }
    intake.finish()
    self.intake = nil
    shown.withLock { $0.historyBeginnings = intake.beginnings }
    if intake.pointCount > 0 {
      log.info(
        "history of the last run loaded",
        metadata: ["points": "\(intake.pointCount)", "milliseconds": "\(tookMilliseconds)"])
    }
    if intake.skippedCount > 0 {
      log.warning(
        "loading the history took too long: baselines lack its oldest part",
        metadata: ["hours": "\(intake.skippedCount)"])
    }
  }
}
