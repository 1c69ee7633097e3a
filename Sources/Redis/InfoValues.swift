/// The values of some fields of an INFO, kept close together to be compared with those of the next INFO that has the same
/// fields.
public struct InfoValues: Sendable {
  /// A value that is another one now.
  public struct Change: Sendable {
    /// Its place among the fields that are kept.
    public let place: Int
    /// Where the value of before stands in ``InfoValues/bytes``.
    public let known: Range<Int>
  }

  /// Each value, and a line feed behind it, which is in no value; then zeros, so that eight bytes can be read at each place.
  public private(set) var bytes: [UInt8] = []

  private static let separator = UInt8(ascii: "\n")
  private static let spareBytes = 8

  /// - Parameter fields: those that are kept, as indexes of ``InfoText/fields``.
  public init(_ info: InfoText, of fields: [Int32]) {
    bytes.reserveCapacity(fields.count * 12)
    for index in fields {
      bytes += info.value(of: info.fields[Int(index)])
      bytes.append(Self.separator)
    }
    bytes += repeatElement(0, count: Self.spareBytes)
  }

  /// The values in their order.
  public var all: [ArraySlice<UInt8>] {
    bytes.dropLast(Self.spareBytes).split(separator: Self.separator, omittingEmptySubsequences: false).dropLast()
  }

  /// Finds the values that are others in an INFO of the same shape.
  ///
  /// - Parameters:
  ///   - fields: as for ``init(_:of:)``.
  ///   - changes: is emptied and filled, in ascending order of the places.
  public func compare(_ info: InfoText, of fields: [Int32], changes: inout [Change]) {
    changes.removeAll(keepingCapacity: true)
    Self.compare(bytes.span, info.bytes.span, info.fields.span, fields.span, &changes)
  }

  /// Takes the values that ``compare(_:of:changes:)`` found in the place of those that are known.
  public mutating func take(_ changes: [Change], from info: InfoText, of fields: [Int32]) {
    // From the end on, so that what stands before stays where it is.
    for change in changes.reversed() {
      let value = info.fields[Int(fields[change.place])].value
      if value.count == change.known.count {
        Self.copy(info.bytes.span, value, to: change.known.lowerBound, of: &bytes)
      } else {
        bytes.replaceSubrange(change.known, with: info.bytes[value])
      }
    }
  }

  private static func copy(_ source: Span<UInt8>, _ range: Range<Int>, to start: Int, of bytes: inout [UInt8]) {
    var target = bytes.mutableSpan
    for offset in 0..<range.count { target[start + offset] = source[range.lowerBound + offset] }
  }

  private static func compare(
    _ known: Span<UInt8>, _ new: Span<UInt8>, _ all: Span<InfoText.Field>, _ kept: Span<Int32>,
    _ changes: inout [Change]
  ) {
    var start = 0
    for place in 0..<kept.count {
      let value = all[Int(kept[place])].value
      let count = commonCount(known, start, new, value)
      var end = start + count
      // The separator differs from every byte of a value.
      if known[end] != separator || count < value.count {
        while known[end] != separator { end += 1 }
        changes.append(Change(place: place, known: start..<end))
      }
      start = end + 1
    }
  }

  /// How many bytes of a value are the same as those that are known, from the first on.
  @inline(__always) private static func commonCount(
    _ known: Span<UInt8>, _ start: Int, _ new: Span<UInt8>, _ value: Range<Int>
  ) -> Int {
    var count = 0
    while value.lowerBound + count + 8 <= new.count, start + count + 8 <= known.count {
      let difference = word(known, start + count) ^ word(new, value.lowerBound + count)
      guard difference == 0 else { return min(count + difference.trailingZeroBitCount / 8, value.count) }
      count += 8
      if count >= value.count { return value.count }
    }
    while count < value.count, new[value.lowerBound + count] == known[start + count] { count += 1 }
    return count
  }

  /// Eight bytes as one number, the first of them the lowest: one load of the processor.
  @inline(__always) private static func word(_ bytes: Span<UInt8>, _ place: Int) -> UInt64 {
    let part = bytes.extracting(place..<(place + 8))
    let low =
      UInt64(part[0]) | UInt64(part[1]) << 8 | UInt64(part[2]) << 16 | UInt64(part[3]) << 24
    let high =
      UInt64(part[4]) << 32 | UInt64(part[5]) << 40 | UInt64(part[6]) << 48 | UInt64(part[7]) << 56
    return low | high
  }
}
