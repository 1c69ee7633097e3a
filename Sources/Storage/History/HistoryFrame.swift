/// Points of many series packed into one row, as they were sampled together.
///
/// A row for each point would cost three times the bytes, and a row for each series and hour ten thousand scattered writes a
/// minute; so a round of sampling is one sequential write. Points are ordered by time, then series:
///
///     format (1) { time since the last group, number of points { series, value } }
///
/// Numbers are LEB128. A series is one number, `9 * (id - previous id in the group) + bytes of the value`, and a value
/// the big-endian bits of the number without its trailing zero bytes, so that small whole numbers take two or three.
enum HistoryFrame {
  struct Entry {
    let series: Int64
    let atMs: Int64
    let bits: UInt64
  }

  private static let format: UInt8 = 1

  /// - Parameters:
  ///   - entries: by time, then series.
  ///   - fromMs: at most the time of the first.
  static func encode(_ entries: ArraySlice<Entry>, fromMs: Int64) -> [UInt8] {
    var bytes: [UInt8] = [format]
    bytes.reserveCapacity(entries.count * 9 + 16)
    var start = entries.startIndex
    var previousMs = fromMs
    while start < entries.endIndex {
      let atMs = entries[start].atMs
      let group = entries[start...].prefix { $0.atMs == atMs }
      append(UInt64(atMs - previousMs), to: &bytes)
      append(UInt64(group.count), to: &bytes)
      var previous: Int64 = 0
      for entry in group {
        let length = 8 - entry.bits.trailingZeroBitCount / 8
        append(UInt64(entry.series - previous) * 9 + UInt64(length), to: &bytes)
        for index in 0..<length { bytes.append(UInt8(truncatingIfNeeded: entry.bits >> (56 - 8 * UInt64(index)))) }
        previous = entry.series
      }
      previousMs = atMs
      start = group.endIndex
    }
    return bytes
  }

  /// Hands each point to `body`.
  ///
  /// - Returns: false when the bytes are of no known format or end too early; the points before that were handed over.
  static func decode(_ bytes: [UInt8], fromMs: Int64, _ body: (Entry) -> Void) -> Bool {
    guard bytes.first == format else { return false }
    var position = 1
    var atMs = fromMs
    while position < bytes.count {
      guard let pause = number(bytes, &position), let count = number(bytes, &position) else { return false }
      let (time, overflows) = atMs.addingReportingOverflow(Int64(truncatingIfNeeded: pause))
      if overflows || pause > Int64.max { return false }
      atMs = time
      var series: Int64 = 0
      // At least a byte each, so the number cannot make this loop long.
      guard count <= bytes.count - position else { return false }
      for _ in 0..<count {
        guard let tag = number(bytes, &position) else { return false }
        let length = Int(tag % 9)
        guard length <= bytes.count - position else { return false }
        var bits: UInt64 = 0
        for index in 0..<length { bits |= UInt64(bytes[position + index]) << (56 - 8 * UInt64(index)) }
        position += length
        // A ninth of a UInt64 and another stay within Int64 but for a long row of forged ones.
        series &+= Int64(tag / 9)
        body(Entry(series: series, atMs: atMs, bits: bits))
      }
    }
    return true
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private static func number(_ bytes: [UInt8], _ position: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.count, shift < 64 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
