import Runtime

/// How often a key was named before it was looked up, and when. In seconds of a clock that only goes forward.
struct Pushes: Sendable, Equatable {
  var count: Int
  var first: Double
  var last: Double
  /// By how much either may have come earlier: the process stood still.
  var doubtSeconds: Double

  init(at seconds: Double, count: Int = 1, doubtSeconds: Double = 0) {
    (self.count, first, last, self.doubtSeconds) = (count, seconds, seconds, doubtSeconds)
  }

  mutating func add(_ later: Pushes) {
    count += later.count
    first = min(first, later.first)
    last = max(last, later.last)
    doubtSeconds = max(doubtSeconds, later.doubtSeconds)
  }
}

/// The keys that a server has named and that were not looked up yet, each once. Pure.
struct PushInbox: Sendable {
  /// Keys that wait; of more, everything is forgotten.
  static let limit = 20_000
  /// Bytes of their names.
  static let byteLimit = 8 << 20

  private var waiting: [FollowPlan.Key: Pushes] = [:]
  /// In the order in which they came.
  private var order: [FollowPlan.Key] = []
  private var next = 0
  private var byteCount = 0
  /// Names since the last look, those that nobody wants among them.
  private var nameCount = 0
  /// What was known is no longer true: every key was deleted, or some were not heard of.
  private var isLost = false

  var isEmpty: Bool { waiting.isEmpty && !isLost }

  mutating func add(_ key: FollowPlan.Key, _ pushes: Pushes) {
    guard waiting[key]?.add(pushes) == nil else { return }
    guard waiting.count < Self.limit, byteCount + key.name.bytes.count <= Self.byteLimit else { return lose() }
    waiting[key] = pushes
    order.append(key)
    byteCount += key.name.bytes.count
  }

  mutating func count(names: Int) { nameCount += names }

  mutating func lose() {
    let names = nameCount
    self = PushInbox()
    (nameCount, isLost) = (names, true)
  }

  mutating func takeLoss() -> Bool {
    defer { isLost = false }
    return isLost
  }

  mutating func takeNameCount() -> Int {
    defer { nameCount = 0 }
    return nameCount
  }

  mutating func take(_ limit: Int) -> [(key: FollowPlan.Key, pushes: Pushes)] {
    var taken: [(key: FollowPlan.Key, pushes: Pushes)] = []
    while taken.count < limit, next < order.count {
      if let one = take(order[next]) { taken.append((order[next], one)) }
      next += 1
    }
    if next == order.count { (order, next) = ([], 0) }
    if next > Self.limit { (order, next) = (Array(order[next...]), 0) }
    return taken
  }

  /// What came of one key since it was taken.
  mutating func take(_ key: FollowPlan.Key) -> Pushes? {
    guard let one = waiting.removeValue(forKey: key) else { return nil }
    byteCount -= key.name.bytes.count
    return one
  }
}

/// Whether so many names come that following costs the server more than walking. Pure.
struct FloodGauge: Sendable, Equatable {
  static let namesPerSecond = 2000.0
  static let seconds = 10.0

  private var since: Double?
  private var lookedAt: Double?
  private var count = 0.0

  /// - Parameter names: since the last look.
  /// - Returns: whether more than the limit came in each second of the last ten.
  mutating func note(_ names: Int, at now: Double) -> Bool {
    guard let last = lookedAt else {
      lookedAt = now
      return false
    }
    count += Double(names)
    let took = now - last
    guard took >= 1 else { return false }
    since = count / took > Self.namesPerSecond ? since ?? last : nil
    (lookedAt, count) = (now, 0)
    return since.map { now - $0 >= Self.seconds } ?? false
  }
}
