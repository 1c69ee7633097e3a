/// Reads what a ``BitWriter`` wrote.
///
/// The words go on for at least one beyond the last bit, so that 64 bits can be looked at from any position.
struct BitReader {
  private let words: [UInt64]
  private(set) var position: Int

  /// - Parameter position: the first bit to read.
  init(_ words: [UInt64], at position: Int) {
    self.words = words
    self.position = position
  }

  /// The next 64 bits, not consumed. What lies beyond the end is arbitrary.
  @inline(__always)
  func peek() -> UInt64 {
    let index = position >> 6
    let offset = UInt64(truncatingIfNeeded: position & 63)
    return words[index] &>> offset | (words[index + 1] &<< 1) &<< (63 &- offset)
  }

  @inline(__always)
  mutating func skip(_ count: Int) { position &+= count }

  /// - Parameter count: 0 to 64.
  @inline(__always)
  mutating func read(_ count: Int) -> UInt64 {
    let window = peek()
    position &+= count
    return count == 64 ? window : window & ((1 &<< UInt64(truncatingIfNeeded: count)) &- 1)
  }

  mutating func readSized() -> UInt64 { read(Int(read(6)) + 1) }

  mutating func readGamma() -> Int {
    let width = (~peek()).trailingZeroBitCount
    skip(width + 1)
    return 1 << width | Int(read(width))
  }
}
