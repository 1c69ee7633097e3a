import PromQL

/// What became of an alert in one evaluation.
public struct AlertChange: Sendable, Equatable {
  public enum Kind: Sendable { case pending, firing, ended }

  public let kind: Kind
  public let alert: Alert

  /// - Parameters:
  ///   - tracker: after the evaluation.
  ///   - before: the same before it.
  static func changes(to tracker: AlertTracker, from before: AlertTracker) -> [AlertChange] {
    let (now, old) = (tracker.active, before.active)
    guard now != old else { return [] }
    let known = Dictionary(uniqueKeysWithValues: old.map { ($0.labels, $0) })
    var changes = now.compactMap { alert -> AlertChange? in
      let former = known[alert.labels]
      guard former?.state != alert.state || former?.activeAtMilliseconds != alert.activeAtMilliseconds else {
        return nil
      }
      return AlertChange(kind: alert.state == .firing ? .firing : .pending, alert: alert)
    }
    let active = Set(now.map(\.labels))
    changes += old.filter { !active.contains($0.labels) }.map { AlertChange(kind: .ended, alert: $0) }
    return changes
  }
}
