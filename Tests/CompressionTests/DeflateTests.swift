import Compression
import Testing

struct DeflateTests {
  @Test(arguments: [0, 1, 100, 100_000])
  func whatIsCompressedIsRestored(count: Int) throws {
    let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let compressed = Deflate.compressed(text)
    #expect(count < 1000 || compressed.count < count / 10)
    #expect(try Deflate.restored(compressed, limit: count) == text)
  }

  @Test func aTextBeyondTheLimitIsDamage() {
    let compressed = Deflate.compressed([UInt8](repeating: 1, count: 1 << 20))
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(compressed, limit: (1 << 20) - 1) }
  }

  @Test func cutAndChangedBytesAreDamage() {
    let compressed = Deflate.compressed(Array("what was kept ".utf8) + (0..<200).map { UInt8($0) })
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(Array(compressed.dropLast(5)), limit: 1 << 20) }
    var changed = compressed
    changed[changed.count - 1] ^= 1
    #expect(throws: Deflate.Damage.self) { try Deflate.restored(changed, limit: 1 << 20) }
    #expect(throws: Deflate.Damage.self) { try Deflate.restored([], limit: 1 << 20) }
  }
}
