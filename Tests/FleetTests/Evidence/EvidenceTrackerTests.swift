import Runtime
import Testing

@testable import Fleet

struct EvidenceTrackerTests {
  private let start = WallTime(seconds: 1_800_000_000)

  private func alert(_ name: String, _ labels: [String: String] = [:]) -> EvidenceAlert {
    EvidenceAlert(
      name: name,
      labels: ["alertname": name, "workload": "w", "severity": "warning"].merging(labels, uniquingKeysWith: { $1 }))
  }

  /// Begins and ends the looks that are due, and says which they were.
  private func looks(_ tracker: inout EvidenceTracker, at now: WallTime) -> [EvidenceTracker.Order] {
    let orders = tracker.takeDue(at: now)
    for order in orders {
      _ = tracker.take(Evidence.Look(moment: order.moment, atMs: now.epochMs), [], [], of: order.id)
      tracker.finish(order.id)
    }
    return orders
  }

  @Test func looksAtPendingAtFiringAndFiveMinutesLater() throws {
    var tracker = EvidenceTracker()
    let down = alert("RedisDown", ["instance": "a:6379"])
    _ = tracker.note(down, pendingAt: start, firedAt: nil, now: start)
    let id = try #require(tracker.id(of: down))
    #expect(looks(&tracker, at: start).map(\.moment) == [.pending])
    _ = tracker.note(down, pendingAt: start, firedAt: start + 90, now: start + 90)
    #expect(looks(&tracker, at: start + 90).map(\.moment) == [.firing])
    #expect(tracker.next(after: start + 91) == start + 390)
    #expect(looks(&tracker, at: start + 389).isEmpty)
    #expect(looks(&tracker, at: start + 390).map(\.moment) == [.later])
    let evidence = try #require(tracker.current.first)
    #expect(evidence.id == id && evidence.looks.count == 3 && evidence.firedAtMs == (start + 90).epochMs)
    #expect(evidence.node == "a:6379" && tracker.next(after: start + 400) == nil)
  }

  /// However many alerts there are, they share one record and three looks a minute.
  @Test func alertsOfAMinuteShareLooks() {
    var tracker = EvidenceTracker()
    for number in 0..<10 {
      let at = start + Double(number) / 100
      _ = tracker.note(alert("Alert\(number)", ["instance": "n\(number):1"]), pendingAt: at, firedAt: at, now: at)
    }
    #expect(tracker.current.count == 1 && tracker.current[0].alerts.count == 10)
    // Those that come together are one look.
    #expect(looks(&tracker, at: start + 1).map(\.alerts.count) == [10])
    // What comes later is looked at before its cause is gone, again all of it together.
    for number in 10..<20 {
      _ = tracker.note(alert("Alert\(number)"), pendingAt: start + 2, firedAt: start + 2, now: start + 2)
    }
    #expect(looks(&tracker, at: start + 2).isEmpty)
    #expect(looks(&tracker, at: start + 3).map(\.alerts.count) == [20])
    var count = 2
    for second in 4..<60 {
      let at = start + Double(second)
      _ = tracker.note(alert("Alert\(second + 100)"), pendingAt: at, firedAt: at, now: at)
      count += looks(&tracker, at: at).count
    }
    #expect(count == EvidenceTracker.looksPerMinute)
    // The minute of the first look is over.
    #expect(tracker.next(after: start + 60) == start + 61)
    #expect(looks(&tracker, at: start + 61).count == 1)
  }

  @Test func oneThatBeginsAgainIsLookedAtAgain() {
    var tracker = EvidenceTracker()
    let one = alert("A")
    _ = tracker.note(one, pendingAt: start, firedAt: start, now: start)
    #expect(looks(&tracker, at: start).count == 1)
    tracker.end(one, at: start + 1)
    _ = tracker.note(one, pendingAt: start + 5, firedAt: start + 5, now: start + 5)
    #expect(tracker.current.count == 1 && looks(&tracker, at: start + 5).count == 1)
    // That it goes on is no news.
    _ = tracker.note(one, pendingAt: start + 5, firedAt: start + 5, now: start + 20)
    #expect(looks(&tracker, at: start + 20).isEmpty)
  }

  @Test func workloadsDoNotWaitForEachOther() {
    var tracker = EvidenceTracker()
    _ = tracker.note(alert("A"), pendingAt: start, firedAt: nil, now: start)
    _ = tracker.note(alert("A", ["workload": "v"]), pendingAt: start, firedAt: nil, now: start)
    #expect(Set(looks(&tracker, at: start).map(\.workload)) == ["w", "v"])
  }

  @Test func nobodyIsAskedForAlertsOfNoWorkload() {
    var tracker = EvidenceTracker()
    _ = tracker.note(alert("RedlineAbsent", ["workload": ""]), pendingAt: start, firedAt: start, now: start)
    _ = tracker.note(alert("Watchdog", ["severity": "none"]), pendingAt: start, firedAt: start, now: start)
    #expect(tracker.current.isEmpty && looks(&tracker, at: start).isEmpty)
  }

  @Test func anAlertThatCameToNothingIsForgotten() {
    var tracker = EvidenceTracker()
    let one = alert("A")
    _ = tracker.note(one, pendingAt: start, firedAt: nil, now: start)
    _ = looks(&tracker, at: start)
    tracker.end(one, at: start + 10)
    #expect(looks(&tracker, at: start + 900).isEmpty && tracker.id(of: one) != nil)
    #expect(looks(&tracker, at: start + 911).isEmpty && tracker.id(of: one) == nil)
    // Begun again, it is another.
    _ = tracker.note(one, pendingAt: start + 1000, firedAt: nil, now: start + 1000)
    #expect(looks(&tracker, at: start + 1000).count == 1)
  }

  /// After a restart, alerts still lead to their evidence, and the last look is taken.
  @Test func goesOnAfterARestart() throws {
    var before = EvidenceTracker()
    let one = alert("A", ["instance": "a:1"])
    _ = before.note(one, pendingAt: start, firedAt: start + 1, now: start + 1)
    _ = looks(&before, at: start + 1)
    let kept = Evidence(try #require(before.current.first).stored)
    var tracker = EvidenceTracker()
    tracker.restore([kept], at: start + 20)
    #expect(tracker.id(of: one) == kept.id)
    #expect(looks(&tracker, at: start + 301).map(\.moment) == [.later])
    #expect(tracker.current.first?.looks.count == 2)
  }

  @Test func memoryIsBounded() {
    var tracker = EvidenceTracker()
    for number in 0..<600 {
      _ = tracker.note(alert("A", ["workload": "w\(number)"]), pendingAt: start, firedAt: nil, now: start)
    }
    #expect(tracker.current.count == 500 && tracker.omittedCount == 100)
  }

  /// A thousand alerts in a row leave little behind.
  @Test func whatIsOverIsForgotten() {
    var tracker = EvidenceTracker()
    for number in 0..<1000 {
      let now = start + Double(number) * 61
      let one = alert("A\(number)")
      _ = tracker.note(one, pendingAt: now, firedAt: now, now: now)
      #expect(looks(&tracker, at: now).count <= 1)
      tracker.end(one, at: now + 1)
    }
    #expect(tracker.current.count < 30)
  }

  /// The clock is put back by an hour: looks go on.
  @Test func theClockIsPutBack() {
    var tracker = EvidenceTracker()
    _ = tracker.note(alert("A"), pendingAt: start, firedAt: nil, now: start)
    #expect(looks(&tracker, at: start).count == 1)
    _ = tracker.note(alert("B"), pendingAt: start - 3600, firedAt: nil, now: start - 3600)
    #expect(looks(&tracker, at: start - 3600).count == 1)
  }
}
