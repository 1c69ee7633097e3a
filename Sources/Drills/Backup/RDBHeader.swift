import Redis
import Runtime

/// What an RDB file says of itself before its first key. Read within bounds, and trusted no further than as text.
public struct RDBHeader: Sendable, Equatable {
  /// How much of a file is read for it.
  static let limitBytes = 64 << 10
  private static let textLimit = 4096
  private static let fieldLimit = 100

  public enum Failure: Error, Sendable, Equatable {
    case empty
    /// It begins with something else; the text names what that is, where it is known.
    case foreign(String?)
  }

  /// Of the format: 10 for Redis 7.0, 11 for 7.2, 12 for 7.4, 80 for Valkey 9.
  public let format: Int
  public let isValkey: Bool
  /// Whether it names the version of Valkey that wrote it.
  let namesValkey: Bool
  /// The version of the server that wrote it, where it says so.
  public let server: String?
  /// When it was begun.
  public let writtenAt: WallTime?
  /// What the server used then, in bytes.
  public let usedMemoryBytes: Int?
  /// The history of writes that it belongs to, and where in it the file was begun; nil for a server that never replicated.
  public let replicationID: String?
  public let replicationOffset: Int?
  /// Whether it is the base of an append-only file.
  public let isAOFBase: Bool
  /// The module that the file needs first; nil where it names none here.
  public let module: String?

  /// - Parameter bytes: how the file begins, ``limitBytes`` or all of it.
  public init(_ bytes: [UInt8]) throws(Failure) {
    guard !bytes.isEmpty else { throw .empty }
    isValkey = bytes.starts(with: Array("VALKEY".utf8))
    let magic = isValkey ? 6 : 5
    guard isValkey || bytes.starts(with: Array("REDIS".utf8)), bytes.count >= 9,
      let format = parseInteger(bytes[magic..<9]), format > 0
    else { throw .foreign(Self.kind(bytes)) }
    self.format = format
    var reader = Reader(bytes: bytes, place: 9)
    var fields: [String: String] = [:]
    for _ in 0..<Self.fieldLimit {
      guard reader.take(Reader.auxiliary), let name = reader.text(), let value = reader.text() else { break }
      fields[name] = value
    }
    module = reader.take(Reader.moduleAuxiliary) ? reader.moduleName() : nil
    func integer(_ name: String) -> Int? { fields[name].flatMap { parseInteger(Array($0.utf8)[...]) } }
    namesValkey = fields["valkey-ver"] != nil
    server = fields["valkey-ver"] ?? fields["redis-ver"]
    writtenAt = integer("ctime").flatMap { $0 > 0 ? WallTime(seconds: Double($0)) : nil }
    usedMemoryBytes = integer("used-mem").flatMap { $0 > 0 ? $0 : nil }
    let id = fields["repl-id"].flatMap { $0.utf8.count == 40 && $0.utf8.allSatisfy(\.isASCIIAlphanumeric) ? $0 : nil }
    replicationID = id
    replicationOffset = id == nil ? nil : integer("repl-offset").flatMap { $0 >= 0 ? $0 : nil }
    isAOFBase = (integer("aof-base") ?? integer("aof-preamble")) == 1
  }

  /// What a file is that is none: backups are often packed or encrypted.
  private static func kind(_ bytes: [UInt8]) -> String? {
    let known: [(start: [UInt8], name: String)] = [
      ([0x1F, 0x8B], "packed by gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "packed by zstd"),
      (Array("BZh".utf8), "packed by bzip2"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "packed by xz"), ([0x04, 0x22, 0x4D, 0x18], "packed by lz4"),
      (Array("PK".utf8), "a zip archive"), (Array("age-encryption".utf8), "encrypted by age"),
      (Array("-----BEGIN".utf8), "encrypted, or a key"), (Array("*".utf8), "commands of an append-only file"),
    ]
    if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
    return known.first { bytes.starts(with: $0.start) }?.name
  }

  /// The encodings of rdb.c that stand before keys.
  private struct Reader {
    static let auxiliary: UInt8 = 250
    static let moduleAuxiliary: UInt8 = 247

    let bytes: [UInt8]
    var place: Int

    mutating func take(_ code: UInt8) -> Bool {
      guard place < bytes.count, bytes[place] == code else { return false }
      place += 1
      return true
    }

    /// An unsigned number of so many bytes; nil where they are not there or it is too large.
    private mutating func number(_ count: Int, isBigEndian: Bool) -> UInt64? {
      guard count <= bytes.count - place else { return nil }
      let part = bytes[place..<place + count]
      place += count
      return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private enum Length {
      case plain(UInt64)
      case encoded(UInt8)
    }

    private mutating func length() -> Length? {
      guard let first = number(1, isBigEndian: true) else { return nil }
      switch first >> 6 {
      case 0: return .plain(first & 0x3F)
      case 1: return number(1, isBigEndian: true).map { .plain((first & 0x3F) << 8 | $0) }
      case 3: return .encoded(UInt8(first & 0x3F))
      default:
        switch first {
        case 0x80: return number(4, isBigEndian: true).map { .plain($0) }
        case 0x81: return number(8, isBigEndian: true).map { .plain($0) }
        default: return nil
        }
      }
    }

    /// A string, or a number as its digits; nil for what is longer than texts here are, or compressed.
    mutating func text() -> String? {
      switch length() {
      case .plain(let count):
        guard count <= UInt64(RDBHeader.textLimit), Int(count) <= bytes.count - place else { return nil }
        defer { place += Int(count) }
        return String(decoding: bytes[place..<place + Int(count)], as: UTF8.self)
      case .encoded(0): return number(1, isBigEndian: false).map { "\(Int8(truncatingIfNeeded: $0))" }
      case .encoded(1): return number(2, isBigEndian: false).map { "\(Int16(truncatingIfNeeded: $0))" }
      case .encoded(2): return number(4, isBigEndian: false).map { "\(Int32(truncatingIfNeeded: $0))" }
      case .encoded, nil: return nil
      }
    }

    /// Nine characters of six bits each in the upper 54 bits of its id, as module.c has it.
    mutating func moduleName() -> String? {
      guard case .plain(let id) = length() else { return nil }
      let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
      let name = (0..<9).map { letters[Int((id >> (58 - 6 * UInt64($0))) & 63)] }
      return String(decoding: name, as: UTF8.self)
    }
  }
}
