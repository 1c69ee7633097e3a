import Config
import Testing

@testable import Fleet
@testable import Redis

/// What holds of locks come to, from names that servers push and from PTTL, moment by moment.
@Suite struct HoldTrackerTests {
  /// A tracker that has heard everything for long.
  static func tracker() -> HoldTracker {
    var tracker = HoldTracker()
    tracker.begin(at: -1000)
    return tracker
  }

  private static let terms = HoldTerms(ttlSeconds: 10, isReleaseRequired: true)

  /// Lets a server name a lock, and say how long it has to live a thousandth of a second later.
  private static func push(
    _ tracker: inout HoldTracker, at seconds: Double, _ life: KeyLife?, count: Int = 1, since first: Double? = nil,
    doubt: Double = 0, terms: HoldTerms? = terms, _ hash: Int = 1
  ) {
    var pushes = Pushes(at: seconds, count: count, doubtSeconds: doubt)
    if let first { pushes.first = first }
    tracker.note(hash, pushes, life, terms: terms, at: seconds + 0.001)
  }

  /// Looks up what is due, all of it gone.
  private static func lapse(_ tracker: inout HoldTracker, at seconds: Double, _ life: KeyLife = .gone) -> Int {
    let due = tracker.takeDue(at: seconds, limit: 100)
    for hash in due { tracker.note(hash, nil, life, terms: terms, at: seconds) }
    return due.count
  }

  @Test func aHoldThatIsGivenBack() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    #expect(tracker.longestSeconds(at: 2) == 2 && tracker.holds.count == 1)
    Self.push(&tracker, at: 3, .gone)
    var counts = tracker.takeCounts()
    #expect(counts.acquired.required == 1 && counts.acquired.other == 0 && counts.expired == .init())
    #expect(counts.heldCount == 1 && counts.heldSeconds == 3 && tracker.holds.isEmpty)
    counts = tracker.takeCounts()
    #expect(counts == HoldCounts())
    // What is due of one that is gone is nothing.
    counts = tracker.takeCounts()
    #expect(Self.lapse(&tracker, at: 100) == 0 && counts == HoldCounts())
  }

  /// It expires at its deadline, whether the server says so late, in time, or never.
  @Test func aHoldThatExpires() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    #expect(tracker.nextDue.map { abs($0 - 10.002) < 1e-9 } == true)
    #expect(Self.lapse(&tracker, at: 10) == 0)
    #expect(Self.lapse(&tracker, at: 10.01) == 1)
    // The server's own word comes late.
    Self.push(&tracker, at: 106, .gone)
    var counts = tracker.takeCounts()
    #expect(counts.expired.required == 1 && counts.heldCount == 1 && abs(counts.heldSeconds - 10) < 1e-9)

    for (end, isExpired) in [(9.9951, true), (9.994, false)] {
      Self.push(&tracker, at: 0, .milliseconds(9999))
      Self.push(&tracker, at: end, .gone)
      counts = tracker.takeCounts()
      #expect(counts.expired.required == (isExpired ? 1 : 0) && counts.heldCount == 1, "\(end)")
    }
    // Without a contract, and by one that lets holders leave them.
    tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999), terms: nil)
    Self.push(&tracker, at: 0, .milliseconds(9999), terms: HoldTerms(ttlSeconds: 1, isReleaseRequired: false), 2)
    #expect(Self.lapse(&tracker, at: 11) == 2)
    counts = tracker.takeCounts()
    #expect(counts.acquired == .init(required: 0, other: 2) && counts.expired == .init(required: 0, other: 2))
  }

  /// Taken by another one at the moment in which it expires: the server names it once.
  @Test func aHoldThatExpiresAndIsTakenAtOnce() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    Self.push(&tracker, at: 10, .milliseconds(9999))
    let counts = tracker.takeCounts()
    #expect(counts.acquired.required == 2 && counts.expired.required == 1 && counts.renewedCount == 0)
    #expect(tracker.longestSeconds(at: 12) == 2)
  }

  @Test func renewals() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    for time in stride(from: 3.0, through: 18, by: 3) { Self.push(&tracker, at: time, .milliseconds(9999)) }
    #expect(Self.lapse(&tracker, at: 20) == 0)
    #expect(tracker.longestSeconds(at: 20) == 20)
    // Held for 20 s against 10, and for none against 30.
    #expect(tracker.heldLongCount(at: 20) == 1 && tracker.heldLongCount(at: 10.9) == 0)
    // One that has long to live is what walks find.
    Self.push(&tracker, at: 20, .milliseconds(60_000))
    #expect(tracker.heldLongCount(at: 21) == 0 && tracker.heldLongCount(at: 70) == 1)
    Self.push(&tracker, at: 22, .gone)
    let counts = tracker.takeCounts()
    #expect(counts.renewedCount == 7 && counts.acquired.required == 1 && counts.expired == .init())
    #expect(counts.heldSeconds == 22 && tracker.heldLongCount(at: 70) == 0)
  }

  /// Something else that is done to a lock is no renewal.
  @Test func aChangeThatMovesNoDeadline() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    Self.push(&tracker, at: 5, .milliseconds(4999))
    Self.push(&tracker, at: 6, .gone)
    let counts = tracker.takeCounts()
    #expect(counts.renewedCount == 0 && counts.heldSeconds == 6)
  }

  /// Named twice before it was looked up, a lock may have a new holder: nothing is said of how long it is held.
  @Test func aHandOverThatMayBeARenewal() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    Self.push(&tracker, at: 9, .milliseconds(9999), count: 2, since: 8.9)
    #expect(tracker.heldLongCount(at: 15) == 0 && tracker.longestSeconds(at: 15) == nil)
    Self.push(&tracker, at: 16, .gone)
    // A look that saw what was named only after it.
    Self.push(&tracker, at: 20, .milliseconds(9999))
    Self.push(&tracker, at: 20.003, .milliseconds(9996))
    #expect(tracker.longestSeconds(at: 21) == nil)
    Self.push(&tracker, at: 22, .gone)
    var counts = tracker.takeCounts()
    #expect(counts.acquired.required == 2 && counts.renewedCount == 0 && counts.heldCount == 0)
    #expect(counts.expired == .init())
    // Whoever held it at last left it to expire.
    Self.push(&tracker, at: 30, .milliseconds(9999), count: 2, since: 29.9)
    #expect(Self.lapse(&tracker, at: 41) == 1)
    counts = tracker.takeCounts()
    #expect(counts.acquired.required == 1 && counts.expired.required == 1 && counts.heldCount == 0)
  }

  @Test func shortHolds() {
    var tracker = Self.tracker()
    // Taken and given back before the look; in one turn; perhaps twice.
    Self.push(&tracker, at: 1, .gone, count: 2, since: 0.998)
    Self.push(&tracker, at: 2, .gone)
    Self.push(&tracker, at: 3, .gone, count: 4, since: 2.99)
    let counts = tracker.takeCounts()
    #expect(counts.acquired.required == 2 && counts.heldCount == 1 && abs(counts.heldSeconds - 0.002) < 1e-9)
  }

  /// What was held before anybody listened was not seen to be taken: it is not timed, and its end does not count.
  @Test func whatWasThereBefore() {
    var tracker = HoldTracker()
    tracker.begin(at: 0)
    Self.push(&tracker, at: 3, .milliseconds(9999))
    #expect(tracker.longestSeconds(at: 4) == nil && tracker.holds.count == 1)
    Self.push(&tracker, at: 6, .milliseconds(9999))
    #expect(Self.lapse(&tracker, at: 17) == 1)
    var counts = tracker.takeCounts()
    #expect(
      counts.acquired == .init() && counts.expired == .init() && counts.renewedCount == 1 && counts.heldCount == 0)
    // By now every lock with such a life has been heard of.
    Self.push(&tracker, at: 18, .milliseconds(9999))
    Self.push(&tracker, at: 18, .milliseconds(30_000), 2)
    counts = tracker.takeCounts()
    #expect(counts.acquired.required == 1 && tracker.holds[1]?.isWhole == true && tracker.holds[2]?.isWhole == false)
    tracker.begin(at: 20)
    #expect(tracker.holds.isEmpty && tracker.nextDue == nil)
  }

  /// The process stood still: what it then hears of may have been long ago.
  @Test func whatIsHeardLate() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    Self.push(&tracker, at: 0, .milliseconds(9999), 2)
    Self.push(&tracker, at: 40, .gone, doubt: 35)
    Self.push(&tracker, at: 40, .gone, doubt: 5, 2)
    let counts = tracker.takeCounts()
    // The second is gone since 35 s at the earliest: it had expired.
    #expect(counts.expired.required == 1 && counts.heldCount == 1)
  }

  @Test func locksWithoutTTL() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .unlimited)
    #expect(tracker.lastingCount == 0 && tracker.nextDue.map { abs($0 - 1.001) < 1e-9 } == true)
    // EXPIRE is a second command.
    Self.push(&tracker, at: 0.02, .milliseconds(9999))
    #expect(Self.lapse(&tracker, at: 2, .unlimited) == 0 && tracker.lastingCount == 0)
    Self.push(&tracker, at: 3, .gone)
    var counts = tracker.takeCounts()
    #expect(counts.acquired.required == 1 && counts.heldSeconds == 3 && counts.renewedCount == 0)
    Self.push(&tracker, at: 10, .unlimited)
    #expect(Self.lapse(&tracker, at: 11.1, .unlimited) == 1 && tracker.lastingCount == 1)
    #expect(Self.lapse(&tracker, at: 1e6, .unlimited) == 0)
    Self.push(&tracker, at: 12, .gone)
    counts = tracker.takeCounts()
    #expect(tracker.lastingCount == 0 && counts.heldSeconds == 2 && counts.expired == .init())
  }

  /// A renewal that the look at the deadline sees before the server names it.
  @Test func aRenewalWhoseNameIsOnItsWay() {
    var tracker = Self.tracker()
    Self.push(&tracker, at: 0, .milliseconds(9999))
    #expect(Self.lapse(&tracker, at: 10.01, .milliseconds(9990)) == 1)
    #expect(tracker.holds.count == 1 && tracker.nextDue.map { $0 < 10.2 } == true)
    // What cannot be said is forgotten.
    Self.push(&tracker, at: 10.02, nil)
    let counts = tracker.takeCounts()
    #expect(tracker.holds.isEmpty && counts.expired == .init())
  }

  @Test func tooManyHolds() {
    var tracker = Self.tracker()
    for hash in 0..<(HoldTracker.limit + 5) { Self.push(&tracker, at: 0, .milliseconds(9999), hash) }
    #expect(tracker.holds.count == HoldTracker.limit && tracker.omittedCount == 5)
    for round in 1...10 {
      for hash in 0..<HoldTracker.limit { Self.push(&tracker, at: Double(round), .milliseconds(9999), hash) }
    }
    var lapsed = 0
    while true {
      let count = Self.lapse(&tracker, at: 30)
      if count == 0 { break }
      lapsed += count
    }
    let counts = tracker.takeCounts()
    #expect(lapsed == HoldTracker.limit && counts.expired.required == HoldTracker.limit)
  }

  // MARK: Counts

  @Test func quantilesAndLedger() {
    var counts = HoldCounts()
    #expect(counts.quantile(0.5) == nil)
    for _ in 0..<98 { counts.end(after: 0.2) }
    counts.end(after: 7)
    counts.end(after: 100)
    #expect(counts.quantile(0.5).map { 0.1 < $0 && $0 <= 0.25 } == true)
    #expect(counts.quantile(0.99).map { 5 < $0 && $0 <= 10 } == true && counts.quantile(1) == nil)
    #expect(counts.cumulative.last == 99 && counts.heldCount == 100)
    var ledger = HoldCountTracker()
    var one = HoldCounts()
    one.expire(HoldTerms(ttlSeconds: 1, isReleaseRequired: true))
    for minute in 0..<200 { ledger.add(one, at: Double(minute) * 60) }
    #expect(ledger.all.expired.required == 200)
    #expect(ledger.lastHour(at: 199 * 60).expired.required == 60)
    #expect(ledger.lastHour(at: 229 * 60).expired.required == 30)
    #expect(ledger.lastHour(at: 900 * 60) == HoldCounts())
  }

  // MARK: Names

  private static func key(_ name: String) -> FollowPlan.Key {
    .init(name: KeyName(database: 0, bytes: Array(name.utf8)), kind: .lock)
  }

  private static func isLost(_ inbox: inout PushInbox) -> Bool { inbox.takeLoss() }

  @Test func namesThatWait() {
    var inbox = PushInbox()
    inbox.add(Self.key("a"), Pushes(at: 1))
    inbox.add(Self.key("b"), Pushes(at: 2))
    inbox.add(Self.key("a"), Pushes(at: 3, doubtSeconds: 2))
    inbox.count(names: 7)
    let counts = [inbox.takeNameCount(), inbox.takeNameCount()]
    #expect(counts == [7, 0])
    let first = inbox.take(1)
    #expect(first.map(\.key) == [Self.key("a")])
    #expect(first.first?.pushes.count == 2 && first.first?.pushes.first == 1 && first.first?.pushes.last == 3)
    #expect(first.first?.pushes.doubtSeconds == 2)
    inbox.add(Self.key("a"), Pushes(at: 4))
    let again = [inbox.take(Self.key("a")), inbox.take(Self.key("a"))]
    #expect(again == [Pushes(at: 4), nil])
    let rest = inbox.take(9)
    #expect(rest.map(\.key) == [Self.key("b")] && inbox.isEmpty)
    #expect(!Self.isLost(&inbox))
    for number in 0...PushInbox.limit { inbox.add(Self.key("\(number)"), Pushes(at: 1)) }
    #expect(Self.isLost(&inbox) && !Self.isLost(&inbox) && inbox.isEmpty)
    inbox.add(Self.key("ab" + String(repeating: "x", count: PushInbox.byteLimit)), Pushes(at: 1))
    #expect(Self.isLost(&inbox))
  }

  @Test func floods() {
    var gauge = FloodGauge()
    var now = 0.0
    func run(_ names: Int, seconds: Int, _ gauge: inout FloodGauge) -> Bool {
      var isFlood = false
      for _ in 0..<(2 * seconds) {
        now += 0.5
        isFlood = gauge.note(names / 2, at: now) || isFlood
      }
      return isFlood
    }
    #expect(!run(1900, seconds: 60, &gauge))
    #expect(!run(2100, seconds: 9, &gauge))
    #expect(!run(100, seconds: 1, &gauge))
    #expect(!run(2100, seconds: 9, &gauge))
    #expect(run(2100, seconds: 3, &gauge))
  }

  @Test func deadlinesComeInOrder() {
    var queue = DeadlineQueue()
    var random = SystemRandomNumberGenerator()
    let times = (0..<500).map { _ in Double.random(in: 0..<100, using: &random) }
    for (hash, time) in times.enumerated() { queue.insert(hash, at: time) }
    let early = queue.pop(at: -1)
    #expect(early == nil)
    var seen: [Double] = []
    while let (hash, seconds) = queue.pop(at: 50) {
      #expect(times[hash] == seconds)
      seen.append(seconds)
    }
    #expect(seen == times.filter { $0 <= 50 }.sorted() && queue.count == 500 - seen.count)
    #expect(queue.earliest == times.filter { $0 > 50 }.min())
  }

  // MARK: Plans

  @Test func whatServersAreAskedFor() throws {
    func plan(_ text: String) throws -> FollowPlan? {
      FollowPlan(try KeyPlanTests.workload("watches: \(text)").watches)
    }
    #expect(try plan("{}") == nil)
    #expect(try plan("{follow: replica, locks: {enabled: false}, circuits: {enabled: false}}") == nil)
    let usual = try #require(try plan("{follow: replica}"))
    #expect(usual.prefixes.map { String(decoding: $0, as: UTF8.self) } == ["circuit:", "lock:"])
    let text = "{follow: any, locks: {patterns: ['lock:*', 'db2=lock:*'], contracts: [{pattern: 'lock:a:*', ttl: 3s}]}}"
    let several = try #require(try plan(text))
    #expect(several.prefixes.map { String(decoding: $0, as: UTF8.self) } == ["circuit:", "lock:"])
    let keys = several.keys(named: Array("lock:a:1".utf8), inOneDatabase: false)
    #expect(keys.map(\.name.database) == [0, 2] && keys.allSatisfy { $0.kind == .lock })
    #expect(several.keys(named: Array("lock:a:1".utf8), inOneDatabase: true).count == 1)
    #expect(several.terms(of: keys[0].name, inOneDatabase: false)?.ttlSeconds == 3)
    #expect(several.terms(of: keys[1].name, inOneDatabase: false) == nil)
    #expect(several.keys(named: Array("circuit:x".utf8), inOneDatabase: false).isEmpty)
    #expect(several.keys(named: Array("circuit:x:failures".utf8), inOneDatabase: false).map(\.kind) == [.circuit])
    #expect(FollowPlan.covering([[1, 2], [1], [2, 1], [1]]) == [[1], [2, 1]])
  }

  /// What is newer than a walk stands, until a walk has seen it.
  @Test func circuitsThatChanged() {
    var circuits = FollowedCircuits()
    circuits.note("mail", failures: 7, life: .milliseconds(5000), at: 100)
    circuits.note("pay", failures: nil, life: .gone, at: 100)
    let found = CircuitWatch.Findings(failures: ["mail": 1, "pay": 2, "other": 3])
    #expect(circuits.overlay(found, began: 90, at: 101).failures == ["mail": 7, "other": 3])
    #expect(circuits.overlay(found, began: 90, at: 106).failures == ["other": 3])
    #expect(circuits.overlay(found, began: 110, at: 111).failures == found.failures)
  }
}
