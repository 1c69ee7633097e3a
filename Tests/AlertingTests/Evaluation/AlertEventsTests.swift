import PromQL
import Storage
import TestSupport
import Testing

@testable import Alerting

struct AlertEventsTests {
  static func alert(
    _ instance: String, _ state: AlertState = .firing, fired: Int64? = 60_000, resolved: Int64? = nil
  ) -> Alert {
    Alert(
      labels: [
        "alertname": "RedisDown", "instance": instance, "severity": "critical",
        "workload": "carts",
      ], annotations: ["summary": "\(instance) is down"], value: .infinity, state: state, activeAtMilliseconds: 0,
      firedAtMilliseconds: fired, resolvedAtMilliseconds: resolved)
  }

  @Test func firedAndResolvedAreToldOnce() throws {
    var events = AlertEvents()
    let pending = Self.alert("a", .pending, fired: nil)
    #expect(events.events(of: [pending], instead: [], atMilliseconds: 0).isEmpty)
    let fired = events.events(of: [Self.alert("a")], instead: [pending], atMilliseconds: 60_000)
    #expect(fired.map(\.kind) == [.alertFired])
    #expect(fired.map(\.summary) == ["RedisDown: a is down"])
    #expect(fired.map(\.at) == [60] && fired.map(\.workload) == ["carts"] && fired.map(\.node) == ["a"])
    #expect(
      fired.map(\.details) == [
        #"{"alert":"RedisDown","severity":"critical","value":"inf","labels":{"alertname":"RedisDown","instance":"a","severity":"critical","workload":"carts"}}"#
      ])
    #expect(events.events(of: [Self.alert("a")], instead: [Self.alert("a")], atMilliseconds: 75_000).isEmpty)
    let over = Self.alert("a", .inactive, resolved: 90_000)
    let resolved = events.events(of: [over], instead: [Self.alert("a")], atMilliseconds: 90_000)
    #expect(resolved.map(\.kind) == [.alertResolved] && resolved.map(\.at) == [90])
    #expect(events.events(of: [over], instead: [over], atMilliseconds: 99_000).isEmpty)
    // Another episode of the same alert.
    let again = events.events(of: [Self.alert("a", fired: 120_000)], instead: [over], atMilliseconds: 120_000)
    #expect(again.map(\.kind) == [.alertFired])
  }

  /// A rule that fires for everything must not push all else out of the store.
  @Test func aStormIsCountedNotListed() {
    var events = AlertEvents()
    let all = (0..<1000).map { Self.alert("n\($0)") }
    #expect(events.events(of: all, instead: [], atMilliseconds: 0).count == AlertEvents.burst)
    #expect(events.events(of: all + [Self.alert("x")], instead: all, atMilliseconds: 30_000).isEmpty)
    let later = events.events(of: [Self.alert("y")], instead: [], atMilliseconds: 61_000)
    #expect(later.map(\.summary) == ["RedisDown: y is down (and 961 more changes of this rule that are not listed)"])
    #expect(events.events(of: [Self.alert("z")], instead: [], atMilliseconds: 62_000).isEmpty)
    // An hour of quiet earns no more than a burst.
    #expect(events.events(of: all, instead: [], atMilliseconds: 100_000_000).count == AlertEvents.burst)
  }

  @Test func whatNobodyIsToldOfIsNoEvent() {
    var events = AlertEvents()
    let watchdog = Alert(
      labels: ["alertname": "RedlineWatchdog", "severity": "none"], annotations: [:], value: 1, state: .firing,
      activeAtMilliseconds: 0, firedAtMilliseconds: 0)
    #expect(events.events(of: [watchdog], instead: [], atMilliseconds: 0).isEmpty)
  }
}
