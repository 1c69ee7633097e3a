/// The identity of a series: names with values, sorted by name, each name once, no value empty.
///
/// All of it is one block of bytes with its hash beside it: copies cost a reference, equality mostly one comparison.
/// The metric's name is the label `__name__`.
public struct Labels: Sendable, Hashable {
  /// One label.
  public struct Pair: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The name of the label that holds the metric's name.
  public static let metricName = "__name__"
  static let metricNameBytes = Array(metricName.utf8)
  public static let empty = Labels(packed: [])
  /// The longest value that a query may make, in bytes.
  static let valueLimitBytes = 64 << 10

  /// For each label the name and then the value, each as its length and its bytes.
  let packed: [UInt8]
  private let cachedHash: UInt64

  /// Sorts; of a name given twice the last value holds; empty values are left out.
  public init(_ pairs: some Sequence<Pair>) {
    self.init(bytePairs: pairs.map { (Array($0.name.utf8)[...], Array($0.value.utf8)[...]) })
  }

  init(bytePairs pairs: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]) {
    let sorted = pairs.enumerated().sorted { a, b in
      if a.element.name.elementsEqual(b.element.name) { return a.offset < b.offset }
      return a.element.name.lexicographicallyPrecedes(b.element.name)
    }
    var builder = PackedLabels()
    for (index, pair) in sorted.enumerated() {
      let isLast = index + 1 == sorted.count || !sorted[index + 1].element.name.elementsEqual(pair.element.name)
      if isLast { builder.append(pair.element.name, pair.element.value) }
    }
    self.init(packed: builder.bytes)
  }

  init(packed: [UInt8]) {
    self.packed = packed
    cachedHash = Self.hash(packed)
  }

  public static func == (a: Labels, b: Labels) -> Bool { a.cachedHash == b.cachedHash && a.packed == b.packed }

  public func hash(into hasher: inout Hasher) { hasher.combine(cachedHash) }

  public var isEmpty: Bool { packed.isEmpty }

  /// Roughly what they take in memory.
  var byteCount: Int { packed.count + 48 }

  /// The value of a label, or nil when it is absent.
  public subscript(name: String) -> String? {
    let value = value(of: Array(name.utf8))
    return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
  }

  /// The value in UTF-8, empty when the label is absent.
  public func value(of name: [UInt8]) -> ArraySlice<UInt8> {
    var cursor = PackedLabels.Cursor()
    while let pair = cursor.next(in: packed) {
      if PackedLabels.compare(packed, pair.name, name, name.indices) == 0 { return packed[pair.value] }
    }
    return []
  }

  /// Name and value of each label, in order.
  public var pairs: [Pair] {
    var pairs: [Pair] = []
    var cursor = PackedLabels.Cursor()
    while let pair = cursor.next(in: packed) { pairs.append(Pair(text(pair.name), text(pair.value))) }
    return pairs
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: packed[range], as: UTF8.self) }

  /// Multiplies and folds words of eight bytes, seeded in every process: label values come from outside.
  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    var hash = seed
    var index = 0
    while index + 8 <= bytes.count {
      let low = word(bytes[index], bytes[index + 1], bytes[index + 2], bytes[index + 3])
      let high = word(bytes[index + 4], bytes[index + 5], bytes[index + 6], bytes[index + 7])
      hash = mixed(hash ^ (low | high << 32))
      index += 8
    }
    var rest = UInt64(bytes.count)
    while index < bytes.count {
      rest = rest << 8 | UInt64(bytes[index])
      index += 1
    }
    return mixed(hash ^ rest)
  }

  @inline(__always) private static func word(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt64 {
    UInt64(a) | UInt64(b) << 8 | UInt64(c) << 16 | UInt64(d) << 24
  }

  @inline(__always) private static func mixed(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  private static let seed = UInt64.random(in: 1...UInt64.max)
}

extension Labels: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { Pair($0.0, $0.1) })
  }
}

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
