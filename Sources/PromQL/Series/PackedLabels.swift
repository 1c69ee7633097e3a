/// The bytes of a `Labels`: for each label its name and then its value, each with its length in front.
///
/// A length below 255 takes one byte, a longer one the byte 255 and four more, least significant first.
struct PackedLabels {
  private(set) var bytes: [UInt8] = []

  /// The caller appends in the order of the names. An empty value is left out.
  mutating func append(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    if value.isEmpty { return }
    append(name)
    append(value)
  }

  /// Appends a label as it stands in another block.
  mutating func append(_ pair: Cursor.Pair, of other: [UInt8]) {
    bytes.append(contentsOf: other[pair.whole])
  }

  private mutating func append(_ text: ArraySlice<UInt8>) {
    if text.count < 255 {
      bytes.append(UInt8(truncatingIfNeeded: text.count))
    } else {
      bytes.append(255)
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: text.count >> shift)) }
    }
    bytes.append(contentsOf: text)
  }

  /// Walks over the labels of a block.
  struct Cursor {
    struct Pair {
      let name: Range<Int>
      let value: Range<Int>
      /// Both, with their lengths.
      let whole: Range<Int>
    }
    private var offset = 0

    mutating func next(in bytes: [UInt8]) -> Pair? {
      guard offset < bytes.count else { return nil }
      let start = offset
      let name = text(in: bytes)
      let value = text(in: bytes)
      return Pair(name: name, value: value, whole: start..<offset)
    }

    private mutating func text(in bytes: [UInt8]) -> Range<Int> {
      var count = Int(bytes[offset])
      offset += 1
      if count == 255 {
        count = (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        offset += 4
      }
      defer { offset += count }
      return offset..<(offset + count)
    }
  }

  /// Negative, 0 or positive as the first text sorts before, with or after the second: the order of their bytes.
  static func compare(_ a: [UInt8], _ aRange: Range<Int>, _ b: [UInt8], _ bRange: Range<Int>) -> Int {
    let shared = min(aRange.count, bRange.count)
    for index in 0..<shared {
      let (x, y) = (a[aRange.lowerBound + index], b[bRange.lowerBound + index])
      if x != y { return x < y ? -1 : 1 }
    }
    return aRange.count - bRange.count
  }
}
