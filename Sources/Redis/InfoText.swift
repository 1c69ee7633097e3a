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
  }

  let bytes: [UInt8]
  public let fields: [Field]
  public let sections: [String]

  public init(_ text: ArraySlice<UInt8>) {
    // A slice of a large shared array is copied out so that the snapshot does not hold the rest.
    self.init(bytes: Array(text))
  }

  public init(bytes: [UInt8]) {
    var fields: [Field] = []
    fields.reserveCapacity(bytes.count / 24)
    var sections: [String] = []
    var position = 0
    let end = bytes.count
    while position < end, fields.count + sections.count < Limits.infoLines {
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
        let name = bytes[(start + 1)..<lineEnd].drop { $0 == UInt8(ascii: " ") }
        sections.append(String(foreign: name))
      } else if nameEnd > start, nameEnd < lineEnd {
        fields.append(
          Field(
            hash: hash, section: Int32(sections.count - 1), nameStart: Int32(start),
            nameEnd: Int32(nameEnd), valueEnd: Int32(lineEnd)))
      }
    }
    self.bytes = bytes
    self.fields = fields
    self.sections = sections
  }

  public func name(of field: Field) -> ArraySlice<UInt8> {
    bytes[Int(field.nameStart)..<Int(field.nameEnd)]
  }

  public func value(of field: Field) -> ArraySlice<UInt8> {
    bytes[(Int(field.nameEnd) + 1)..<Int(field.valueEnd)]
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
