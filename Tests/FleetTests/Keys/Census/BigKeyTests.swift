import Runtime
import Testing

@testable import Fleet

/// The largest keys that are kept of one server.
struct BigKeyTests {
  private static let mebibyte = 1_048_576.0
  private static let start = WallTime(seconds: 1_800_000_000)

  private static func key(_ name: String, _ bytes: Double, type: String = "string", database: Int = 0) -> BigKey {
    BigKey(KeyName(database: database, bytes: Array(name.utf8)), type: type, bytes: bytes, at: start)
  }

  @Test func theLargestAreKeptHoweverSmall() {
    var table = BigKeyTable(bigBytes: Self.mebibyte, topCount: 3)
    for number in 1...10 { table.note(Self.key("k\(number)", Double(number) * 1000)) }
    #expect(table.keys.map(\.bytes) == [10_000, 9000, 8000])
    #expect(table.bigCount == 0 && table.bigKeysBytes == 0 && table.certainBytes == Self.mebibyte)
    #expect(!table.admits(8000) && table.admits(8001))
    table.note(Self.key("k9", 500))
    #expect(table.keys.map(\.bytes) == [10_000, 8000, 500], "a key that shrank is the same key")
    table.note(Self.key("k9", 20_000, database: 1))
    #expect(table.keys.map(\.database) == [1, 0, 0], "one of another database is another")
  }

  @Test func bigOnesAreAllKept() {
    var table = BigKeyTable(bigBytes: Self.mebibyte, topCount: 3)
    for number in 0..<50 { table.note(Self.key("k\(number)", Self.mebibyte + Double(number))) }
    #expect(table.keys.count == 50 && table.bigCount == 50)
    table.endPass()
    #expect(table.bigCount == 50, "each was met")
    table.note(Self.key("k7", Self.mebibyte))
    table.endPass()
    #expect(table.keys.map(\.nameCount) == [2] && table.bigCount == 1, "what is not met again is gone")
  }

  /// What there is no room for is counted, and the sample knows from which size on nothing is missing.
  @Test func tooManyAreCounted() {
    var table = BigKeyTable(bigBytes: Self.mebibyte, topCount: 3, limit: 10)
    for number in 0..<100 { table.note(Self.key("k\(number)", Self.mebibyte * Double(2 + number))) }
    #expect(table.keys.count == 10)
    #expect(table.certainBytes > 91 * Self.mebibyte && table.certainBytes < 93 * Self.mebibyte)
    table.endPass()
    #expect(table.bigCount == 100)
    #expect(table.bigKeysBytes == Self.mebibyte * Double((2..<102).reduce(0, +)))
    #expect(table.certainBytes > 91 * Self.mebibyte)
  }

  @Test func aKeyThatIsGoneIsForgotten() {
    var table = BigKeyTable(bigBytes: Self.mebibyte, topCount: 3)
    let key = Self.key("a", 2 * Self.mebibyte)
    table.note(key)
    table.renew(key.hash, nil)
    table.renew(key.hash, key)
    #expect(table.keys.isEmpty)
  }

  /// A thousand idle shards must fit, whatever their keys are called.
  @Test func anIdleShardKeepsLittle() {
    var table = BigKeyTable(bigBytes: 65_536, topCount: 20)
    for number in 0..<10_000 {
      let name = "\(number)" + String(repeating: "x", count: number % 7 == 0 ? 1 << 16 : 200)
      table.note(Self.key(name, 100_000 + Double(number), type: "a-module"))
    }
    table.endPass()
    #expect(table.keys.count == BigKeyTable.keyLimit && table.keys.allSatisfy { $0.name.count == BigKey.nameLimit })
    #expect(table.heldBytes <= 32 * 1024, "\(table.heldBytes) bytes")
    #expect(table.keys.allSatisfy { !$0.hasWholeName })
  }

  /// Panels of samples, samples under way and large keys of every shard: all that the keyspaces of a fleet hold.
  @Test func allShardsTogetherKeepABound() async {
    let samples = KeyspaceRoom.sampleCount * 12 << 20
    let underWay = KeyspaceRoom.censusCount * 32 * 1024
    #expect(samples + KeyspaceRoom.panelBytes + KeyspaceRoom.censusBytes + underWay <= 64 << 20)
    let room = KeyspaceRoom()
    let shards = (0..<3000).map { _ in Shard() }
    var limits: [Int] = []
    for shard in shards { limits.append(await room.censusKeyLimit(heldBytes: 32 * 1024, of: ObjectIdentifier(shard))) }
    #expect(limits.first == BigKeyTable.keyLimit && limits.last == 0, "then each keeps those for the page alone")
    await room.release(ObjectIdentifier(shards[0]))
    let fits = limits.count { $0 > 0 }
    #expect(fits * 32 * 1024 <= KeyspaceRoom.censusBytes)
  }

  private final class Shard {}

  @Test func howSizesBecomeExact() {
    var text = Self.key("a", 5_000_000)
    text.note(sampledBytes: 5_000_001, elementCount: 4_999_900, at: Self.start)
    #expect(text.isExact && text.bytes == 5_000_001, "a string's size is no estimate")
    var small = Self.key("b", 2_000_000, type: "hash")
    small.note(sampledBytes: 2_000_100, elementCount: 900, at: Self.start)
    #expect(small.isExact, "each of its elements was looked at")
    var large = Self.key("c", 2_000_000, type: "hash")
    large.note(sampledBytes: 3_000_000, elementCount: 2000, at: Self.start)
    #expect(!large.isExact && large.bytes == 3_000_000)
    large.note(countedBytes: 5_000_000, sampledBytes: 3_000_000, at: Self.start)
    #expect(large.isExact && large.bytes == 5_000_000)
    large.note(sampledBytes: 3_010_000, elementCount: 2000, at: Self.start + 3600)
    #expect(large.isExact && large.bytes == 5_000_000, "nothing says that it changed")
    large.note(sampledBytes: 4_000_000, elementCount: 2900, at: Self.start + 7200)
    #expect(!large.isExact && large.bytes == 4_000_000)
    large.note(countedBytes: 5_000_000, sampledBytes: 4_000_000, at: Self.start)
    large.note(sampledBytes: 4_000_000, elementCount: 2900, at: Self.start + 3 * 86_400)
    #expect(!large.isExact, "it was counted too long ago")
  }

  @Test func howTheMemoryOfKeysLives() {
    var lives = CensusLives()
    for number in 0..<999 { lives.note(number < 300 ? .unlimited : .milliseconds(5), 100) }
    lives.note(.gone, 1e12)
    #expect(lives.foreverRatio == nil, "too few were asked")
    var other = CensusLives()
    other.note(.unlimited, 700 * 100 + 100)
    lives.add(other)
    #expect(abs((lives.foreverRatio ?? 0) - 1008.0 / 1707) < 0.01)
  }
}
