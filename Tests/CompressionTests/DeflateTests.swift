import Compression
import TestSupport
import Testing

struct DeflateTests {
  static let ways: [@Sendable ([UInt8]) -> [UInt8]] = [
    { Deflate.compressed($0) }, { Deflate.quicklyCompressed($0) },
  ]

  @Test(arguments: [0, 1, 100, 100_000], [0, 1])
  func whatIsCompressedIsRestored(count: Int, way: Int) throws {
    let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let compressed = Self.ways[way](text)
    #expect(count < 1000 || compressed.count < count / 10)
    #expect(try Deflate.restored(compressed, limit: count) == text)
  }

  /// Nothing in it repeats.
  @Test(arguments: [1, 1000, 65_535, 65_536, 300_000], [0, 1])
  func noiseIsRestored(count: Int, way: Int) throws {
    var random = FixedRandom(state: 7)
    let text = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    let compressed = Self.ways[way](text)
    #expect(compressed.count < count + count / 8 + 1024)
    #expect(try Deflate.restored(compressed, limit: count) == text)
  }

  @Test func aTextBeyondTheLimitIsDamage() {
    let compressed = Deflate.compressed([UInt8](repeating: 1, count: 1 << 20))
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(compressed, limit: (1 << 20) - 1) }
  }

  @Test(arguments: [0, 1])
  func cutAndChangedBytesAreDamage(way: Int) {
    let compressed = Self.ways[way](Array("what was kept ".utf8) + (0..<200).map { UInt8($0) })
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(Array(compressed.dropLast(5)), limit: 1 << 20) }
    var changed = compressed
    changed[changed.count - 1] ^= 1
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(changed, limit: 1 << 20) }
    #expect(throws: Deflate.Damage.self) { try Deflate.restored([], limit: 1 << 20) }
  }
}
