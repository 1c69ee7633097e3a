import Redis
import TestSupport
import Testing

@testable import Fleet

struct SampleStartsTests {
  @Test func oneTableIsEnteredAnywhere() {
    var random = FixedRandom(state: 1)
    let cursors = (0..<1000).map { _ in SampleStarts().draw(using: &random) }
    #expect(cursors.allSatisfy { $0 < 1 << 48 } && Set(cursors).count == 1000)
    #expect(Set(cursors.map { $0 & 7 }).count == 8, "the low bits name a place in a small table")
  }

  @Test func slotsAreDrawnByTheirKeys() throws {
    var counts = [Double](repeating: 0, count: ClusterNodes.slotCount)
    (counts[3], counts[700], counts[16383]) = (10, 70, 20)
    let starts = try #require(SampleStarts(keyCounts: counts))
    var random = FixedRandom(state: 2)
    var drawn: [UInt64: Int] = [:]
    var places: Set<UInt64> = []
    for _ in 0..<10_000 {
      let cursor = starts.draw(using: &random)
      #expect(cursor < 1 << 48)
      drawn[cursor & 0x3FFF, default: 0] += 1
      places.insert(cursor >> 14)
    }
    #expect(Set(drawn.keys) == [3, 700, 16383], "an empty slot is never drawn")
    #expect(900...1100 ~= drawn[3] ?? 0 && 6850...7150 ~= drawn[700] ?? 0)
    #expect(places.count > 9900, "inside its table it may be anywhere")
    #expect(SampleStarts(keyCounts: []) == nil && SampleStarts(keyCounts: [0, 0]) == nil)
  }

  @Test func databasesGetTheirShare() {
    #expect(SampleStarts.share(1000, among: [900_000, 100_000, 5, 0]) == [900, 100, 8, 0])
    #expect(SampleStarts.share(1000, among: []) == [] && SampleStarts.share(1000, among: [0]) == [0])
  }

  @Test(arguments: [
    (ServerFacts.Product.redis, "7.2.5", false), (.redis, "7.4.0", true), (.redis, "8.2.1", true),
    (.valkey, "7.2.9", false), (.valkey, "8.0.0", true), (.valkey, "9.1.2", true),
  ])
  func whoHasATableBySlot(_ product: ServerFacts.Product, _ version: String, _ has: Bool) {
    let node = ServerFacts(product: product, version: Version(version), mode: .cluster)
    #expect(node.hasTableBySlot == has)
    #expect(!ServerFacts(product: product, version: Version(version), mode: .standalone).hasTableBySlot)
  }
}
