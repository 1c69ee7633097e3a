import PromQL
import Testing

@testable import Alerting

/// Alerts that were taken up again after a restart.
@Suite(.timeLimit(.minutes(1))) struct RestoredAlertTests {
  static let timing = AlertTracker.Timing(forMilliseconds: 60_000)

  static func alert(_ name: String, _ state: AlertState, since active: Int64, fired: Int64? = nil) -> Alert {
    Alert(
      labels: ["alertname": name], annotations: [:], value: 1, state: state, activeAtMilliseconds: active,
      firedAtMilliseconds: fired)
  }

  @Test func absenceIsNoNewsUntilTheHoldEnds() throws {
    var tracker = AlertTracker()
    tracker.restore([Self.alert("A", .firing, since: 0, fired: 60_000)], holdingUntilMilliseconds: 500_000)
    try tracker.update(with: [], timing: Self.timing, limit: 0, atMilliseconds: 400_000)
    #expect(tracker.all.map(\.state) == [.firing])
    try tracker.update(with: [], timing: Self.timing, limit: 0, atMilliseconds: 500_000)
    #expect(tracker.all.map(\.state) == [.inactive])
    #expect(tracker.all[0].resolvedAtMilliseconds == 500_000)
  }

  @Test func onceSeenAnAlertEndsAsAnyOther() throws {
    var tracker = AlertTracker()
    tracker.restore([Self.alert("A", .firing, since: 0, fired: 60_000)], holdingUntilMilliseconds: 500_000)
    let found = Self.alert("A", .pending, since: 200_000)
    try tracker.update(with: [found], timing: Self.timing, limit: 0, atMilliseconds: 200_000)
    #expect(tracker.all[0].firedAtMilliseconds == 60_000)
    try tracker.update(with: [], timing: Self.timing, limit: 0, atMilliseconds: 215_000)
    #expect(tracker.all.map(\.state) == [.inactive])
  }

  @Test func pendingGoesOnFromWhereItWas() throws {
    var tracker = AlertTracker()
    tracker.restore([Self.alert("A", .pending, since: 0)], holdingUntilMilliseconds: 500_000)
    try tracker.update(with: [], timing: Self.timing, limit: 0, atMilliseconds: 30_000)
    #expect(tracker.nextFiringMilliseconds(Self.timing) == 60_000)
    let found = Self.alert("A", .pending, since: 61_000)
    try tracker.update(with: [found], timing: Self.timing, limit: 0, atMilliseconds: 61_000)
    #expect(tracker.all.map(\.state) == [.firing])
    #expect(tracker.all[0].activeAtMilliseconds == 0)
  }

  @Test func aClockPutForwardMakesNothingFire() throws {
    var tracker = AlertTracker()
    let begun = Self.alert("A", .pending, since: 0)
    try tracker.update(with: [begun], timing: Self.timing, limit: 0, atMilliseconds: 0)
    tracker.shift(byMilliseconds: 3_600_000)
    try tracker.update(
      with: [Self.alert("A", .pending, since: 3_610_000)], timing: Self.timing, limit: 0, atMilliseconds: 3_610_000)
    #expect(tracker.all.map(\.state) == [.pending])
    #expect(tracker.all[0].activeAtMilliseconds == 3_600_000)
  }

  @Test func aClockPutBackEndsNothingAndBeginsNothingAnew() throws {
    var tracker = AlertTracker()
    let (pending, firing) = (Self.alert("A", .pending, since: 7_230_000), Self.alert("B", .pending, since: 7_100_000))
    tracker.restore([pending, firing])
    try tracker.update(with: [pending, firing], timing: Self.timing, limit: 0, atMilliseconds: 7_240_000)
    #expect(tracker.takeNotices(atMilliseconds: 7_240_000, intervalMilliseconds: 15_000).count == 1)
    tracker.shift(byMilliseconds: -7_200_000)
    let found = ["A", "B"].map { Self.alert($0, .pending, since: 45_000) }
    try tracker.update(with: found, timing: Self.timing, limit: 0, atMilliseconds: 45_000)
    #expect(tracker.all.map(\.state) == [.pending, .firing])
    #expect(tracker.nextFiringMilliseconds(Self.timing) == 90_000)
    #expect(tracker.all[1].firedAtMilliseconds == 7_240_000)
    #expect(tracker.all[1].activeAtMilliseconds == 7_100_000, "the beginning stays as it was shown")
    // Told again when its time has come, not two hours later.
    #expect(tracker.takeNotices(atMilliseconds: 45_000, intervalMilliseconds: 15_000).isEmpty)
    #expect(tracker.takeNotices(atMilliseconds: 101_000, intervalMilliseconds: 15_000).count == 1)
    try tracker.update(with: [], timing: Self.timing, limit: 0, atMilliseconds: 105_000)
    let notices = tracker.takeNotices(atMilliseconds: 105_000, intervalMilliseconds: 15_000)
    #expect(notices.map(\.endsAtMilliseconds) == [105_000])
    #expect(notices.map(\.startsAtMilliseconds) == [7_240_000])
  }

  /// Back and forth, over a restart in between: a firing alert begins once, and still bows to a `for` that is raised.
  @Test func aFiringAlertBeginsOnceWhateverTheClockDoes() throws {
    var tracker = AlertTracker()
    let found = Self.alert("A", .pending, since: 7_100_000)
    func update(_ timing: AlertTracker.Timing, at now: Int64) throws {
      try tracker.update(with: [Self.alert("A", .pending, since: now)], timing: timing, limit: 0, atMilliseconds: now)
    }
    tracker.restore([found])
    try update(Self.timing, at: 7_200_000)
    #expect(tracker.all.map(\.state) == [.firing])
    for distance: Int64 in [-7_000_000, -100_000, 7_100_000, 86_400_000, -86_400_000] {
      tracker.shift(byMilliseconds: distance)
      var restarted = AlertTracker()
      restarted.restore(tracker.all.map { $0.shifted(byMilliseconds: 0) })
      tracker = restarted
      try update(Self.timing, at: 7_200_000)
      try update(Self.timing, at: 200_000)
      #expect(tracker.all.map(\.state) == [.firing] && tracker.all[0].firedAtMilliseconds == 7_200_000)
      #expect(tracker.all[0].activeAtMilliseconds == 7_100_000)
    }
    try update(AlertTracker.Timing(forMilliseconds: 3_600_000), at: 7_300_000)
    #expect(tracker.all.map(\.state) == [.pending])
  }
}
