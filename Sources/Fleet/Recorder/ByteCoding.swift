/// Numbers and texts as a recording holds them: integers in groups of seven bits, the lowest first.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func add(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func add(_ count: Int) { add(UInt64(bitPattern: Int64(count))) }

  /// A number that may be negative: small ones are short.
  mutating func add(signed number: Int64) { add(UInt64(bitPattern: (number << 1) ^ (number >> 63))) }

  mutating func add(_ text: [UInt8]) {
    add(text.count)
    bytes.append(contentsOf: text)
  }

  mutating func add(_ text: ArraySlice<UInt8>) {
    add(text.count)
    bytes.append(contentsOf: text)
  }

  mutating func add(_ text: String) { add(Array(text.utf8)) }

  /// The bits of a number with a fraction, without the zeros at their end.
  mutating func add(bits: UInt64) { add(bits.byteSwapped) }
}

struct ByteReader {
  private let bytes: [UInt8]
  private(set) var place: Int
  private let end: Int

  init(_ bytes: [UInt8]) { self.init(bytes, in: 0..<bytes.count) }

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    place = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { place >= end }

  mutating func number() throws(RecordingDamage) -> UInt64 {
    var number: UInt64 = 0
    var shift: UInt64 = 0
    while place < end, shift < 64 {
      let byte = bytes[place]
      place += 1
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
      shift += 7
    }
    throw RecordingDamage("a number without an end")
  }

  mutating func signed() throws(RecordingDamage) -> Int64 {
    let number = try number()
    return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
  }

  /// - Parameter limit: the most that may come.
  mutating func count(upTo limit: Int) throws(RecordingDamage) -> Int {
    let number = try number()
    guard number <= UInt64(limit) else { throw RecordingDamage("\(number) where at most \(limit) may be") }
    return Int(number)
  }

  mutating func text(upTo limit: Int) throws(RecordingDamage) -> [UInt8] {
    let count = try count(upTo: min(limit, end - place))
    defer { place += count }
    return Array(bytes[place..<(place + count)])
  }

  mutating func string(upTo limit: Int) throws(RecordingDamage) -> String {
    String(decoding: try text(upTo: limit), as: UTF8.self)
  }

  mutating func bits() throws(RecordingDamage) -> UInt64 { try number().byteSwapped }

  /// The bytes of a part, which is read by itself.
  mutating func part(upTo limit: Int) throws(RecordingDamage) -> ByteReader {
    let count = try count(upTo: min(limit, end - place))
    defer { place += count }
    return ByteReader(bytes, in: place..<(place + count))
  }
}
