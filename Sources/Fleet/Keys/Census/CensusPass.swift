import Redis
import Runtime

/// One pass over every key of a server. Pure.
struct CensusPass: Sendable {
  /// Where it is: in one database after the other.
  private(set) var databases: [(number: Int, keyCount: Double)]
  private(set) var cursor = Self.start
  private(set) var seenCount = 0.0
  let keyTotal: Double
  let began: Double
  /// Whether keys of few elements are counted to the last one.
  let countsElements: Bool
  /// What the server said when it was last asked.
  private(set) var server: SampledServer
  private(set) var checked: Double
  /// Slots came or went meanwhile: keys may have been met twice, or never.
  var isMixed = false
  /// Steps that hold names too large to be read.
  private(set) var omittedCount = 0
  private(set) var lives = CensusLives()
  private var askedCount = 0

  static let start: [UInt8] = [UInt8(ascii: "0")]
  /// Of one key in so many the server is asked when it expires.
  private static let lifeShare = 8
  /// How often the server is asked whether it still is what it was.
  static let checkSeconds = 10.0

  /// - Parameter now: seconds of a clock that only goes forward.
  init(_ server: SampledServer, countsElements: Bool, at now: Double) {
    databases = server.keyCounts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    keyTotal = server.keyCounts.values.reduce(0, +)
    (self.server, checked, began, self.countsElements) = (server, now, now, countsElements)
  }

  var database: Int? { databases.first?.number }
  var isOver: Bool { databases.isEmpty }

  /// Of the keys that there were, how many were met; 1 at the end alone.
  var progressRatio: Double { isOver ? 1 : keyTotal > 0 ? min(0.999, seenCount / keyTotal) : 0 }

  mutating func advance(to cursor: [UInt8], names count: Int) {
    seenCount += Double(count)
    self.cursor = cursor
    if cursor == Self.start { databases.removeFirst() }
  }

  mutating func omit() { omittedCount += 1 }

  /// Whether it is the turn of the next key to be asked when it expires.
  mutating func asksLife() -> Bool {
    askedCount &+= 1
    return askedCount % Self.lifeShare == 1
  }

  /// - Parameter isLarge: of large keys each is asked.
  mutating func note(_ life: KeyLife, bytes: Double, isLarge: Bool) {
    lives.note(life, bytes, keysEach: isLarge ? 1 : Double(Self.lifeShare))
  }

  func isCheckDue(at now: Double) -> Bool { now - checked >= Self.checkSeconds }

  /// Takes in what the server says of itself by now.
  ///
  /// - Returns: why the pass must not go on; nil where it may.
  mutating func check(_ now: SampledServer, at seconds: Double) -> String? {
    if let reason = now.invalidity(since: server) { return reason }
    if now.replication?.role.follows == true, !now.isFitReplica { return "the replica fell behind its master" }
    (server, checked) = (now, seconds)
    return nil
  }
}

/// How the memory of keys lives, by those that were asked.
struct CensusLives: Sendable, Equatable {
  private(set) var askedCount = 0
  private var bytes = 0.0
  private var bytesForever = 0.0

  /// - Parameter keysEach: for how many keys it stands.
  mutating func note(_ life: KeyLife, _ size: Double, keysEach: Double = 1) {
    if life == .gone { return }
    askedCount += 1
    bytes += keysEach * size
    if life == .unlimited { bytesForever += keysEach * size }
  }

  mutating func add(_ other: CensusLives) {
    askedCount += other.askedCount
    bytes += other.bytes
    bytesForever += other.bytesForever
  }

  private static let smallestCount = 1000

  /// Of the memory of keys, the share of those that never expire; nil where too few were asked.
  var foreverRatio: Double? { askedCount >= Self.smallestCount && bytes > 0 ? bytesForever / bytes : nil }
}
