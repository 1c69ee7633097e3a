/// Where a chunk stands in ``ChunkPages``. It tells when the page has been given to others since.
struct ChunkLink: Sendable, Hashable {
  let bits: UInt64

  static let none = ChunkLink(bits: .max)

  init(bits: UInt64) { self.bits = bits }

  /// - Parameters:
  ///   - page: below 2^24.
  ///   - generation: its low 24 bits count.
  ///   - offset: the chunk's first word in the page, below 2^16.
  init(page: Int, generation: UInt32, offset: Int) {
    bits = UInt64(page) << 40 | UInt64(generation & 0xFF_FFFF) << 16 | UInt64(offset)
  }

  var page: Int { Int(bits >> 40) }
  var generation: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) & 0xFF_FFFF }
  var offset: Int { Int(bits & 0xFFFF) }
}
