/// Bits appended to words, the least significant first.
struct BitWriter: Sendable {
  private(set) var words: [UInt64] = []
  private(set) var bitCount: Int32 = 0

  /// - Parameters:
  ///   - bits: zero above the lowest `count`.
  ///   - count: 1 to 64.
  @inline(__always)
  mutating func append(_ bits: UInt64, _ count: Int) {
    let offset = Int(bitCount) & 63
    if offset == 0 {
      words.append(bits)
    } else {
      words[words.count - 1] |= bits &<< UInt64(truncatingIfNeeded: offset)
      if offset + count > 64 { words.append(bits &>> UInt64(truncatingIfNeeded: 64 - offset)) }
    }
    bitCount += Int32(truncatingIfNeeded: count)
  }

  /// A number of unknown size: the width of its binary form less one in six bits, then that form.
  mutating func appendSized(_ number: UInt64) {
    let width = max(1, 64 - number.leadingZeroBitCount)
    append(UInt64(width - 1), 6)
    append(number, width)
  }

  /// A number of 1 or more, mostly small: as many ones as its binary form has bits after the first, a zero, those bits
  /// (Elias, "Universal codeword sets and representations of the integers", 1975: gamma).
  ///
  /// - Parameter number: 1 to 65,535.
  mutating func appendGamma(_ number: Int) {
    let width = Int.bitWidth - 1 - number.leadingZeroBitCount
    append((1 << UInt64(width)) - 1, width + 1)
    if width > 0 { append(UInt64(number) & ((1 << UInt64(width)) - 1), width) }
  }

  /// The last word with the bits that it has, if it is not full.
  var lastWord: BitWriter {
    var tail = BitWriter()
    tail.bitCount = bitCount & 63
    if tail.bitCount > 0 { tail.words.append(words[words.count - 1]) }
    return tail
  }

  /// What the words take on the heap.
  var heapByteCount: Int { words.capacity == 0 ? 0 : words.capacity * 8 + 32 }

  /// Forgets all bits. The room stays when most of it was used.
  mutating func removeAll() {
    words.removeAll(keepingCapacity: words.count > words.capacity / 3)
    bitCount = 0
  }
}

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
