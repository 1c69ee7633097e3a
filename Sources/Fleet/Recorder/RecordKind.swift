/// What a record of a recording is.
enum RecordKind: UInt64 {
  /// A number for a server.
  case node = 1
  case poll = 2
  /// Whether the newest probe of a server was answered.
  case probe = 3
  /// A source of a page that differs from the page before.
  case source = 4
  /// A page, as rules read it, is whole.
  case page = 5
  /// Rules were evaluated.
  case evaluation = 6
  /// A text of another part, such as a rule file, by its name.
  case text = 7
  /// What the checks said of a workload.
  case judgement = 8
  /// A server that is watched no more.
  case gone = 9
  /// What was not recorded, since there was more than could be written.
  case dropped = 10
  /// The clock of evaluations was set.
  case shift = 11
}

/// How a segment is laid out: a header, then blocks, each whole by itself.
enum SegmentLayout {
  static let magic: [UInt8] = Array("REDLINE\n".utf8)
  static let version: UInt8 = 1
  /// The magic, the version, and when it began in milliseconds since 1970.
  static let headerBytes = 17
  /// Bytes kept of a block, bytes that it is restored to, and a hash of those kept: four bytes each, the lowest first.
  static let blockHeaderBytes = 12
  /// Bytes that a block is restored to.
  static let blockLimit = 64 << 20
  static let suffix = ".recording"

  static func header(startMilliseconds: Int64) -> [UInt8] {
    magic + [version] + (0..<8).map { UInt8(truncatingIfNeeded: startMilliseconds >> (8 * $0)) }
  }

  static func startMilliseconds(_ header: ArraySlice<UInt8>) throws(RecordingDamage) -> Int64 {
    guard header.count >= headerBytes, header.starts(with: magic) else { throw RecordingDamage("it is no recording") }
    let version = header[header.startIndex + magic.count]
    guard version == Self.version else {
      throw RecordingDamage("it is of version \(version); this program reads version \(Self.version)")
    }
    return (0..<8).reduce(0) { $0 | Int64(header[header.startIndex + magic.count + 1 + $1]) << (8 * $1) }
  }

  static func hash(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }

  static func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

  static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  }
}
