import Runtime
import Storage

/// Tells when members begin to differ and when they are alike again. Pure.
///
/// A difference must last: a setting that is changed on one member after the other differs for a moment.
struct DriftLog: Sendable {
  static let steadySeconds = 5.0

  private var told: Drift?
  private var newest = Drift.none
  private var since = WallTime.distantPast

  /// - Parameters:
  ///   - isNews: false while members are still being found: how they stand then was so before.
  ///   - seconds: wall time, in seconds since the epoch.
  mutating func note(_ drift: Drift, isNews: Bool, workload: String, at now: WallTime) -> [Event] {
    if drift != newest { (newest, since) = (drift, now) }
    guard let before = told, isNews else {
      told = drift
      return []
    }
    guard drift != before, now - since >= Self.steadySeconds else { return [] }
    told = drift
    func event(_ summary: String) -> Event {
      Event(at: now, workload: workload, kind: .configChange, summary: summary)
    }
    var events: [Event] = []
    if drift.versions != before.versions { events.append(event(drift.versionText ?? "Members run one version again")) }
    // Settings that cannot be read for a while have not become alike.
    if drift.settingCount != nil, drift.settings != before.settings || drift.settingCount != before.settingCount {
      events.append(event(drift.settingText ?? "Settings are the same on all members that answer"))
    }
    return events
  }
}
