/// A set of byte values, as one bit each.
struct ByteSet: Sendable, Hashable {
  private var words = SIMD4<UInt64>()

  mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

  mutating func insert(_ bytes: ClosedRange<UInt8>) {
    for byte in bytes { insert(byte) }
  }

  mutating func formUnion(_ other: ByteSet) { words |= other.words }

  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }

  var inverted: ByteSet {
    var result = self
    result.words = ~words
    return result
  }

  init() {}

  /// The bytes for which `isMember` holds.
  init(where isMember: (UInt8) -> Bool) {
    for byte in UInt8.min...UInt8.max where isMember(byte) { insert(byte) }
  }
}
