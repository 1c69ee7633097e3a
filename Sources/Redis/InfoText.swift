import Runtime

/// An INFO reply, cut into fields in one pass. Nothing is copied but the text itself.
///
/// Lines are `name:value`, cut at the first colon only (hosts may be IPv6), under `# Section` headings. A field that
/// stands twice (Valkey repeats `# Cluster`) is found by its first occurrence.
public struct InfoText: Sendable {
  public struct Field: Sendable {
    /// FNV-1a of the name with 64 bits. Equal hashes are taken for equal names: a server that goes to the trouble of
    /// making two collide could as well have sent the other name.
    public let hash: UInt64
    /// The index of the heading above the field in ``InfoText/sections``, or -1.
    public let section: Int32
    let nameStart: Int32
    let nameEnd: Int32
    let valueEnd: Int32

    /// Where its value stands in ``InfoText/bytes``.
    public var value: Range<Int> { (Int(nameEnd) + 1)..<Int(valueEnd) }
  }

  /// The text as it was sent.
  public let bytes: [UInt8]
  public let fields: [Field]
  public let sections: [String]
  /// A hash of the names of all fields and of how many stand below each heading. Equal ones are taken for the same fields
  /// in the same order, as equal hashes of names are.
  public let shape: UInt64
  /// The first lines like headings that have a colon, as Kvrocks sends them: `Last DBSIZE SCAN time: …`.
  public let remarks: [String]
  /// Sections that were too long, with the lines of each that were left out.
  public let cuts: [Cut]

  public struct Cut: Sendable, Equatable {
    public let section: String
    public let lineCount: Int
  }

  public init(_ text: ArraySlice<UInt8>) {
    // A slice of a large shared array is copied out so that the snapshot does not hold the rest.
    self.init(bytes: Array(text))
  }

  public init(bytes: [UInt8]) {
    var scan = Scan(bytes, sectionLimit: Limits.infoSectionLines)
    if scan.fields.count > Limits.infoLines {
      scan = Scan(bytes, sectionLimit: Self.level(of: scan.lineCounts, total: Limits.infoLines))
    }
    self.bytes = bytes
    fields = scan.fields
    sections = scan.sections
    shape = scan.shape
    remarks = scan.remarks
    cuts = scan.cuts
  }

  /// The most lines of a section with which all of them come to no more than `total`: the long ones are cut first.
  static func level(of counts: [Int], total: Int) -> Int {
    var rest = total
    for (index, count) in counts.sorted().enumerated() {
      let share = rest / (counts.count - index)
      if count > share { return share }
      rest -= count
    }
    return total
  }

  public func name(of field: Field) -> ArraySlice<UInt8> {
    bytes[Int(field.nameStart)..<Int(field.nameEnd)]
  }

  public func value(of field: Field) -> ArraySlice<UInt8> {
    bytes[field.value]
  }

  /// The raw value of the first field of that name.
  public subscript(name: String) -> ArraySlice<UInt8>? {
    let hash = fnvHash(name)
    for field in fields where field.hash == hash { return value(of: field) }
    return nil
  }

  /// The value as text, cut to ``ForeignText/byteLimit``.
  public func text(_ name: String) -> String? { self[name].map { String(foreign: $0) } }

  public func integer(_ name: String) -> Int? { self[name].flatMap { parseInteger($0) } }

  public func double(_ name: String) -> Double? { self[name].flatMap { parseDouble($0) } }
}

/// One pass over an INFO text.
private struct Scan {
  private(set) var fields: [InfoText.Field] = []
  private(set) var sections: [String] = []
  private(set) var remarks: [String] = []
  private(set) var shape = FNV1a.start
  /// Of all lines, those left out among them: above the first heading, of each section, below further headings.
  private(set) var lineCounts = [0]
  private let sectionLimit: Int
  private var isBeyondSections = false

  init(_ bytes: [UInt8], sectionLimit: Int) {
    self.sectionLimit = sectionLimit
    fields.reserveCapacity(min(bytes.count / 24, Limits.infoLines))
    var position = 0
    let end = bytes.count
    while position < end {
      var hash = FNV1a.start
      var nameEnd = -1
      let start = position
      while position < end, bytes[position] != UInt8(ascii: "\n") {
        let byte = bytes[position]
        if nameEnd < 0 {
          if byte == UInt8(ascii: ":") {
            nameEnd = position
          } else {
            hash = (hash ^ UInt64(byte)) &* FNV1a.prime
          }
        }
        position += 1
      }
      var lineEnd = position
      position += 1
      if lineEnd > start, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
      if lineEnd > start, bytes[start] == UInt8(ascii: "#") {
        let text = bytes[(start + 1)..<lineEnd].drop { $0 == UInt8(ascii: " ") }
        if nameEnd < 0 {
          begin(text)
        } else if remarks.count < Limits.infoRemarks {
          remarks.append(String(foreign: text))
        }
      } else if nameEnd > start, nameEnd < lineEnd, takesLine() {
        shape = (shape ^ hash ^ UInt64(sections.count)) &* FNV1a.prime
        fields.append(
          InfoText.Field(
            hash: hash, section: Int32(sections.count - 1), nameStart: Int32(start),
            nameEnd: Int32(nameEnd), valueEnd: Int32(lineEnd)))
      }
    }
  }

  private mutating func begin(_ name: ArraySlice<UInt8>) {
    guard !isBeyondSections else { return }
    if sections.count < Limits.infoSections {
      sections.append(String(foreign: name))
    } else {
      isBeyondSections = true
    }
    lineCounts.append(0)
  }

  /// Counts a line. Once it is certain that there are too many of all, nothing more is kept: another pass follows.
  private mutating func takesLine() -> Bool {
    lineCounts[lineCounts.count - 1] += 1
    return lineCounts[lineCounts.count - 1] <= sectionLimit && !isBeyondSections && fields.count <= Limits.infoLines
  }

  var cuts: [InfoText.Cut] {
    lineCounts.enumerated().compactMap { place, count in
      let isBeyond = isBeyondSections && place == lineCounts.count - 1
      let surplus = isBeyond ? count : count - sectionLimit
      guard surplus > 0 else { return nil }
      let name = isBeyond ? "further sections" : place == 0 ? "" : sections[place - 1]
      return InfoText.Cut(section: name, lineCount: surplus)
    }
  }
}

/// The hash by which fields and settings are found.
public func fnvHash(_ bytes: ArraySlice<UInt8>) -> UInt64 { FNV1a.hash(bytes) }

/// The same of the text's UTF-8.
public func fnvHash(_ text: String) -> UInt64 { FNV1a.hash(text.utf8) }

/// The `key=value` pairs of a list such as `calls=21,usec=175`, one after another and without allocation.
///
/// A part without `=` is passed over. A value may hold `=` itself.
public struct InfoPairs: Sequence, IteratorProtocol {
  public typealias Pair = (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)

  private var rest: ArraySlice<UInt8>
  private let separator: UInt8

  public init(_ text: ArraySlice<UInt8>, separator: UInt8 = UInt8(ascii: ",")) {
    rest = text
    self.separator = separator
  }

  public mutating func next() -> Pair? {
    while rest.startIndex < rest.endIndex {
      let start = rest.startIndex
      var equals = -1
      var end = start
      while end < rest.endIndex, rest[end] != separator {
        if equals < 0, rest[end] == UInt8(ascii: "=") { equals = end }
        end += 1
      }
      let text = rest
      rest = text[Swift.min(end + 1, text.endIndex)...]
      if equals >= 0 { return (text[start..<equals], text[(equals + 1)..<end]) }
    }
    return nil
  }
}
