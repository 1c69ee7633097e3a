import Runtime

/// A key that is among the largest of its server.
struct BigKey: Sendable, Equatable {
  let database: Int
  /// The first bytes of its name.
  let name: [UInt8]
  /// Bytes of the whole name.
  let nameCount: Int
  /// Of the whole name and the database: enough to know it again.
  let hash: UInt64
  /// As TYPE names it; empty where the server does not say.
  var type: String
  var bytes: Double
  /// Whether the server counted each of its elements, and not some for all.
  var isExact: Bool
  /// Elements of a collection, bytes of a string; nil where the server does not say.
  var elementCount: Int?
  var life: SampledKeys.Life
  var measuredAt: WallTime
  /// What so many elements said for all when each was counted, and when that was.
  var estimatedBytes: Double?
  var countedAt: WallTime?

  /// No more of a name is kept, nor shown. Further parts never become a prefix.
  static let nameLimit = 128

  init(_ key: KeyName, type: String = "", bytes: Double, at now: WallTime) {
    (database, nameCount, hash) = (key.database, key.bytes.count, KeyShare.hash(key))
    name = Array(key.bytes.prefix(Self.nameLimit))
    (self.type, self.bytes, measuredAt) = (type, bytes, now)
    (isExact, life) = (type == "string", .unknown)
  }

  /// Whether the server can be asked about it by its name.
  var hasWholeName: Bool { name.count == nameCount }
  var isString: Bool { type == "string" }

  /// Bytes that it takes here.
  var heldBytes: Int { MemoryLayout<Self>.size + 32 + name.count }

  /// So many elements the server looks at where it is asked again.
  static let sampledElements = 1000
  /// Of so many elements all are counted, once a day.
  static let countedElements = 5000
  static let countSeconds = 86_400.0
  /// An exact number is as good as new while what a part of the elements says has not changed by more.
  private static let steadyShare = 0.01

  /// Takes in what some of the elements say for all.
  mutating func note(sampledBytes: Double, elementCount: Int?, at now: WallTime) {
    self.elementCount = elementCount ?? self.elementCount
    measuredAt = now
    if isString || self.elementCount.map({ $0 <= Self.sampledElements }) ?? false {
      (bytes, isExact, estimatedBytes, countedAt) = (sampledBytes, true, nil, nil)
    } else if let countedAt, let estimatedBytes, now - countedAt < 2 * Self.countSeconds,
      abs(sampledBytes - estimatedBytes) <= Self.steadyShare * estimatedBytes
    {
      isExact = true
    } else {
      (bytes, isExact, estimatedBytes, countedAt) = (sampledBytes, false, nil, nil)
    }
  }

  /// Takes in what all elements come to.
  mutating func note(countedBytes: Double, sampledBytes: Double, at now: WallTime) {
    (bytes, isExact, estimatedBytes, countedAt, measuredAt) = (countedBytes, true, sampledBytes, now, now)
  }
}

/// The largest keys of one server that are known. Pure, and bounded: an idle shard keeps no more than this.
///
/// Those of the size that makes a key a big one are kept as far as there is room, and the largest in any case.
struct BigKeyTable: Sendable {
  /// Big keys that are not kept.
  struct Rest: Sendable, Equatable {
    var count = 0
    var bytes = 0.0
  }

  /// From so many bytes on a key is a big one.
  let bigBytes: Double
  /// Keys that are kept however small.
  let topCount: Int
  /// The largest first.
  private(set) var keys: [BigKey] = []
  private var met: Set<UInt64> = []
  private var rest = Rest()
  /// Of the last pass that ended.
  private(set) var lastRest = Rest()
  var limit: Int

  /// Keys of a shard that are kept.
  static let keyLimit = 96

  init(bigBytes: Double, topCount: Int, limit: Int = keyLimit) {
    (self.bigBytes, self.topCount, self.limit) = (bigBytes, topCount, max(limit, topCount))
  }

  /// Whether a key of this size is worth a closer look.
  func admits(_ bytes: Double) -> Bool {
    bytes >= bigBytes || keys.count < topCount || bytes > keys[topCount - 1].bytes
  }

  subscript(hash: UInt64) -> BigKey? { keys.first { $0.hash == hash } }

  /// Takes in a key that was met.
  mutating func note(_ key: BigKey) {
    if let place = keys.firstIndex(where: { $0.hash == key.hash }) { keys.remove(at: place) }
    met.insert(key.hash)
    let place = keys.firstIndex { $0.bytes < key.bytes } ?? keys.count
    keys.insert(key, at: place)
    trim()
  }

  private mutating func trim() {
    while keys.count > topCount, let last = keys.last, last.bytes < bigBytes || keys.count > limit {
      keys.removeLast()
      met.remove(last.hash)
      if last.bytes >= bigBytes { rest = Rest(count: rest.count + 1, bytes: rest.bytes + last.bytes) }
    }
  }

  /// Takes in what a key that is kept says now; nil for one that is gone.
  mutating func renew(_ hash: UInt64, _ key: BigKey?) {
    guard let place = keys.firstIndex(where: { $0.hash == hash }) else { return }
    keys.remove(at: place)
    guard let key else {
      met.remove(hash)
      return
    }
    keys.insert(key, at: keys.firstIndex { $0.bytes < key.bytes } ?? keys.count)
  }

  mutating func beginPass() { (met, rest) = ([], Rest()) }

  /// Each key was met: what was not is gone.
  mutating func endPass() {
    keys.removeAll { !met.contains($0.hash) }
    lastRest = rest
    beginPass()
  }

  /// Big keys by the last pass and what was met since.
  var bigCount: Int { keys.count { $0.bytes >= bigBytes } + lastRest.count }
  var bigKeysBytes: Double { keys.reduce(0) { $0 + ($1.bytes >= bigBytes ? $1.bytes : 0) } + lastRest.bytes }

  /// From which size on every key is kept: larger ones are known by name, smaller ones are for the sample.
  var certainBytes: Double {
    guard rest.count + lastRest.count > 0, let smallest = keys.last else { return bigBytes }
    return max(bigBytes, smallest.bytes + 1)
  }

  var heldBytes: Int { keys.reduce(0) { $0 + $1.heldBytes } + 24 * limit }
}
