/// The words in front of a sealed chunk's column.
struct ChunkHeader: Sendable {
  static let wordCount = 4

  /// The series' chunk before this one.
  var previous: ChunkLink
  /// The times of the block of slots that the chunk belongs to.
  var times: ChunkLink
  /// The newest sample of the chunk before this one.
  var previousNewestMilliseconds: Int64
  /// The first value's slot in its block.
  var firstSlot: UInt16
  var valueCount: UInt16
  /// Words of the column.
  var columnWords: UInt16

  /// Into the first words.
  func write(to words: inout [UInt64]) {
    words[0] = previous.bits
    words[1] = times.bits
    words[2] = UInt64(bitPattern: previousNewestMilliseconds)
    words[3] = UInt64(firstSlot) << 32 | UInt64(valueCount) << 16 | UInt64(columnWords)
  }

  init(
    previous: ChunkLink, times: ChunkLink, previousNewestMilliseconds: Int64, firstSlot: UInt16, valueCount: UInt16,
    columnWords: Int
  ) {
    self.previous = previous
    self.times = times
    self.previousNewestMilliseconds = previousNewestMilliseconds
    self.firstSlot = firstSlot
    self.valueCount = valueCount
    self.columnWords = UInt16(columnWords)
  }

  init(_ words: [UInt64], at offset: Int) {
    previous = ChunkLink(bits: words[offset])
    times = ChunkLink(bits: words[offset + 1])
    previousNewestMilliseconds = Int64(bitPattern: words[offset + 2])
    let counts = words[offset + 3]
    firstSlot = UInt16(truncatingIfNeeded: counts >> 32)
    valueCount = UInt16(truncatingIfNeeded: counts >> 16)
    columnWords = UInt16(truncatingIfNeeded: counts)
  }
}

/// The times of the slots of a block: a column of the milliseconds since the epoch, behind one word.
struct TimesHeader: Sendable {
  static let wordCount = 1

  var slotCount: Int
  var columnWords: Int

  var word: UInt64 { UInt64(slotCount) << 32 | UInt64(columnWords) }

  init(slotCount: Int, columnWords: Int) {
    self.slotCount = slotCount
    self.columnWords = columnWords
  }

  init(_ word: UInt64) {
    slotCount = Int(word >> 32)
    columnWords = Int(word & 0xFFFF_FFFF)
  }
}
