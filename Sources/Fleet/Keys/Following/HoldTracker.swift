/// How long locks are held and how they end, made of what a server names and of what PTTL says then. Knows locks by hash alone.
/// Pure: times are parameters, in seconds of a clock that only goes forward.
///
/// Only what is proven counts. The server names a key once in a turn of its event loop, and says neither what was done to it nor
/// how often: where a lock may have been given back and taken by somebody else before it was looked up, its hold is not timed.
struct HoldTracker: Sendable {
  struct Hold: Sendable, Equatable {
    /// When it was taken, or when it was first heard of.
    let since: Double
    /// When it expires; nil for never.
    var deadline: Double?
    /// Whether it was seen to be taken, and counts.
    let isTaken: Bool
    /// Whether it is known since when, and surely still the same hold.
    var isWhole: Bool
    let terms: HoldTerms?
    /// When it was last looked up.
    var lookedAt: Double
    /// When it is looked up next by itself.
    var due: Double
    /// Since when it is known to have no TTL, and whether that was seen twice.
    var lasting: Double?
    var isLastingConfirmed = false
  }

  /// Holds that are kept; further ones are not followed.
  static let limit = 10_000
  /// A lock that goes so long before its deadline, or later, has expired.
  static let toleranceSeconds = 0.005
  /// A lock may get its TTL by a second command.
  static let lastingSeconds = 1.0
  private static let renewedSeconds = 0.1

  private(set) var holds: [Int: Hold] = [:]
  private(set) var omittedCount = 0
  private var queue = DeadlineQueue()
  /// Since when nothing is missed.
  private var began = 0.0
  private var counts = HoldCounts()

  /// Begins to hear, and forgets what was known.
  mutating func begin(at now: Double) {
    let counts = counts
    self = HoldTracker()
    (self.counts, began) = (counts, now)
  }

  /// What was counted since the last time.
  mutating func takeCounts() -> HoldCounts {
    defer { counts = HoldCounts() }
    return counts
  }

  // MARK: What is due

  var nextDue: Double? { queue.earliest }

  /// Locks that are to be looked up though nobody named them.
  mutating func takeDue(at now: Double, limit: Int) -> [Int] {
    var due: [Int] = []
    while due.count < limit, let (hash, seconds) = queue.pop(at: now) {
      // One that was moved stands in the queue twice.
      if holds[hash]?.due == seconds { due.append(hash) }
    }
    return due
  }

  private mutating func keep(_ hash: Int, _ hold: Hold) {
    if holds[hash]?.due != hold.due { queue.insert(hash, at: hold.due) }
    holds[hash] = hold
    // Renewals leave their earlier deadlines behind.
    guard queue.count > 4 * Self.limit else { return }
    queue = DeadlineQueue()
    for (hash, hold) in holds { queue.insert(hash, at: hold.due) }
  }

  // MARK: What is told

  /// Takes in what PTTL says of a lock.
  ///
  /// - Parameters:
  ///   - pushes: how often it was named since it was last looked up; nil where it was due.
  ///   - life: nil where the server does not say.
  ///   - now: when it said so.
  mutating func note(_ hash: Int, _ pushes: Pushes?, _ life: KeyLife?, terms: HoldTerms?, at now: Double) {
    guard let life else {
      holds[hash] = nil
      return
    }
    let hold = holds[hash]
    switch (hold, pushes) {
    case (let hold?, let pushes?): change(hash, hold, pushes, life, at: now)
    case (let hold?, nil): look(hash, hold, life, at: now)
    case (nil, let pushes?): begin(hash, pushes, life, terms, at: now)
    case (nil, nil): break
    }
  }

  private static func deadline(_ life: KeyLife, _ now: Double) -> Double? {
    if case .milliseconds(let left) = life { now + Double(left) / 1000 } else { nil }
  }

  /// When one is looked up again: just after its deadline; one without, once more.
  private static func due(_ deadline: Double?, _ now: Double) -> Double {
    deadline.map { $0 + 0.002 } ?? now + lastingSeconds
  }

  /// A lock that was not known.
  private mutating func begin(_ hash: Int, _ pushes: Pushes, _ life: KeyLife, _ terms: HoldTerms?, at now: Double) {
    let deadline = Self.deadline(life, now)
    guard life != .gone else {
      // Taken and given back; what is named once was given back by a holder of before, or both in one turn.
      guard pushes.count > 1 else { return }
      counts.take(terms)
      if pushes.count == 2, pushes.doubtSeconds == 0 { counts.end(after: pushes.last - pushes.first) }
      return
    }
    guard holds.count < Self.limit else {
      omittedCount += 1
      return
    }
    // One that was held before anybody listened is renewed, or ends, before its life is over: what comes later is new. So is one
    // without a TTL, which nobody renews.
    let isNew = deadline.map { now - began >= $0 - now } ?? true
    if isNew { counts.take(terms) }
    keep(
      hash,
      Hold(
        since: pushes.first, deadline: deadline, isTaken: isNew,
        isWhole: isNew && pushes.count == 1 && pushes.doubtSeconds == 0, terms: terms, lookedAt: now,
        due: Self.due(deadline, now), lasting: deadline == nil ? now : nil))
  }

  /// A lock that is known was named.
  private mutating func change(_ hash: Int, _ hold: Hold, _ pushes: Pushes, _ life: KeyLife, at now: Double) {
    var hold = hold
    let deadline = Self.deadline(life, now)
    let isPast = hold.deadline.map { pushes.first - pushes.doubtSeconds >= $0 - Self.toleranceSeconds } ?? false
    let mayBePast = hold.deadline.map { pushes.last >= $0 - Self.toleranceSeconds } ?? false
    if life == .gone {
      holds[hash] = nil
      if isPast { return expire(hold) }
      // Named twice it may have been renewed first; more often, it may have been several holds.
      let isSure = !mayBePast && pushes.count <= 2 && pushes.doubtSeconds == 0
      if hold.isWhole, isSure { counts.end(after: pushes.last - hold.since) }
      return
    }
    if isPast {
      holds[hash] = nil
      expire(hold)
      return begin(hash, pushes, life, hold.terms, at: now)
    }
    let isSame = hold.deadline.map { old in deadline.map { abs($0 - old) <= Self.toleranceSeconds } ?? false }
    if isSame ?? (deadline == nil) {
      // Something else was done to it. Just after a look this may be what that look saw already.
      if pushes.count > 1 || pushes.first - hold.lookedAt <= Self.toleranceSeconds { hold.isWhole = false }
    } else if pushes.count == 1, !mayBePast {
      if hold.deadline != nil, deadline != nil { counts.renew() }
    } else {
      hold.isWhole = false
    }
    hold.deadline = deadline
    hold.lookedAt = now
    hold.due = Self.due(deadline, now)
    if deadline != nil {
      (hold.lasting, hold.isLastingConfirmed) = (nil, false)
    } else {
      hold.lasting = hold.lasting ?? now
    }
    keep(hash, hold)
  }

  /// A lock was due, and nobody has named it.
  private mutating func look(_ hash: Int, _ hold: Hold, _ life: KeyLife, at now: Double) {
    var hold = hold
    hold.lookedAt = now
    switch life {
    case .gone:
      holds[hash] = nil
      if hold.deadline != nil { expire(hold) }
    case .unlimited:
      guard let since = hold.lasting else {
        // Its name is on its way.
        hold.due = now + Self.renewedSeconds
        return keep(hash, hold)
      }
      hold.isLastingConfirmed = now - since >= Self.lastingSeconds
      hold.due = hold.isLastingConfirmed ? .infinity : since + Self.lastingSeconds
      if hold.isLastingConfirmed { holds[hash] = hold } else { keep(hash, hold) }
    case .milliseconds(let left):
      let deadline = now + Double(left) / 1000
      let isSame = hold.deadline.map { abs($0 - deadline) <= 2 * Self.toleranceSeconds } ?? false
      // A renewal whose name is on its way counts when that comes.
      hold.due = isSame ? deadline + 0.002 : now + Self.renewedSeconds
      keep(hash, hold)
    }
  }

  /// Its last holder did not give it back.
  private mutating func expire(_ hold: Hold) {
    guard hold.isTaken, let deadline = hold.deadline else { return }
    counts.expire(hold.terms)
    if hold.isWhole { counts.end(after: deadline - hold.since) }
  }

  // MARK: What is known

  /// Locks without TTL, seen so twice a second apart.
  var lastingCount: Int { holds.values.count(where: \.isLastingConfirmed) }

  /// Locks that are held for more than a second longer than their contract allows, and do not have more than that to live: those
  /// are found by walks.
  func heldLongCount(at now: Double) -> Int {
    holds.values.count { hold in
      guard hold.isWhole, let ttl = hold.terms?.ttlSeconds, let deadline = hold.deadline, deadline > now else {
        return false
      }
      return now - hold.since > ttl + 1 && deadline - now <= ttl + 1
    }
  }

  /// How long the lock is held that is held longest; nil where none is.
  func longestSeconds(at now: Double) -> Double? {
    holds.values.lazy.filter(\.isWhole).map(\.since).min().map { max(0, now - $0) }
  }

  /// The holds that began first.
  func oldest(_ count: Int) -> [(hash: Int, hold: Hold)] {
    holds.sorted { ($0.value.since, $0.key) < ($1.value.since, $1.key) }.prefix(count).map { ($0.key, $0.value) }
  }
}
