/// Which keys of a walk are looked at where they are too many: those whose hash is low enough, the same ones at each walk, so
/// that what is counted can be divided by their share. Pure.
///
/// The hash is the SipHash that the process keys by chance, so that nobody can choose names to stay unseen.
struct KeyShare: Sendable, Equatable {
  let limit: Int
  /// The share is a half to this power.
  private let halvings: Int
  /// Matching keys.
  private(set) var seenCount = 0
  /// Those beyond the limit, and those that cannot be read.
  var omittedCount = 0
  /// SCAN may return a name twice.
  private var asked: Set<UInt64> = []

  /// - Parameters:
  ///   - limit: keys that are looked at in a walk, an eighth more at most.
  ///   - last: of the walk before, which tells how many there are.
  init(limit: Int, after last: KeyShare? = nil) {
    self.limit = limit
    var halvings = 0
    while halvings < 40, (last?.seenCount ?? 0) >> halvings > limit { halvings += 1 }
    self.halvings = halvings
  }

  /// For how many keys each stands that is looked at.
  var weight: Int { 1 << halvings }
  var ratio: Double { 1 / Double(weight) }

  static func hash(_ key: KeyName) -> UInt64 { UInt64(bitPattern: Int64(key.hashValue)) }

  /// Takes in a key that matches.
  ///
  /// - Returns: whether it is looked at.
  mutating func admit(_ hash: UInt64) -> Bool {
    guard halvings == 0 || hash >> (64 - UInt64(halvings)) == 0 else {
      seenCount += 1
      return false
    }
    guard !asked.contains(hash) else { return false }
    seenCount += 1
    guard asked.count < limit + limit / 8 else {
      omittedCount += weight
      return false
    }
    asked.insert(hash)
    return true
  }

  /// One that was admitted cannot be read.
  mutating func noteUnread() { omittedCount += weight }

  /// The walk is over.
  mutating func finish() { asked = [] }
}
