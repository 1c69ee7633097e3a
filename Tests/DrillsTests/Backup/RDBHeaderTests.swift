import Runtime
import TestSupport
import Testing

@testable import Drills

@Suite struct RDBHeaderTests {
  /// A string as rdb.c writes short ones.
  static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

  static func field(_ name: String, _ value: [UInt8]) -> [UInt8] { [250] + text(name) + value }

  static func number(_ value: UInt32) -> [UInt8] {
    [0xC2] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static let id = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb"

  /// As 7.0.15 writes it.
  static func file(magic: String = "REDIS0010") -> [UInt8] {
    Array(magic.utf8) + field("redis-ver", text("7.0.15")) + field("redis-bits", [0xC0, 64])
      + field("ctime", number(1_790_000_000)) + field("used-mem", number(12_000_000))
      + field("repl-stream-db", [0xC0, 0])
      + field("repl-id", text(id)) + field("repl-offset", text("15759519")) + field("aof-base", [0xC0, 0])
      + [254, 0, 251, 2, 0, 0, 1, 97, 1, 98, 255]
  }

  @Test func fieldsAreRead() throws {
    let header = try RDBHeader(Self.file())
    #expect(header.format == 10 && !header.isValkeyMade && header.server == "7.0.15")
    #expect(header.writtenAt == WallTime(seconds: 1_790_000_000))
    #expect(header.usedMemoryBytes == 12_000_000)
    #expect(header.replicationID == Self.id && header.replicationOffset == 15_759_519)
    #expect(!header.isAOFBase && header.module == nil)
  }

  @Test func valkeyIsKnownByItsMagicAndByItsName() throws {
    let new = try RDBHeader(Array("VALKEY080".utf8) + Self.field("valkey-ver", Self.text("9.1.2")) + [255])
    #expect(new.isValkeyMade && new.format == 80 && new.server == "9.1.2")
    let old = try RDBHeader(Array("REDIS0011".utf8) + Self.field("valkey-ver", Self.text("8.0.1")) + [255])
    #expect(old.isValkeyMade && old.format == 11)
  }

  @Test func aModuleIsNamed() throws {
    // ReJSON-RL with encoding version 3, as module.c makes its id.
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    let id = "ReJSON-RL".utf8.reduce(UInt64(0)) { $0 << 6 | UInt64(letters.firstIndex(of: $1)!) } << 10 | 3
    let bytes = [0x81] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: id >> (8 * $0)) }
    let header = try RDBHeader(Array("REDIS0010".utf8) + Self.field("redis-ver", Self.text("7.0.15")) + [247] + bytes)
    #expect(header.module == "ReJSON-RL")
  }

  @Test(
    arguments: [
      ([UInt8](), RDBHeader.Failure.empty),
      ([0x1F, 0x8B, 8, 0], .foreign("packed by gzip")),
      (Array("age-encryption.org/v1".utf8), .foreign("encrypted by age")),
      (Array("*2\r\n$6\r\nSELECT".utf8), .foreign("commands of an append-only file")),
      (Array("REDIS".utf8), .foreign(nil)), (Array("REDIS00x0".utf8), .foreign(nil)),
      (Array("hello, world".utf8), .foreign(nil)),
    ])
  func whatIsNoneIsNamed(_ bytes: [UInt8], _ failure: RDBHeader.Failure) {
    #expect(throws: failure) { try RDBHeader(bytes) }
  }

  @Test func aCutFileLosesFieldsAndNothingElse() throws {
    let whole = Self.file()
    for count in 9...whole.count {
      let header = try RDBHeader(Array(whole[..<count]))
      #expect(header.format == 10)
    }
  }

  /// Lengths may claim anything.
  @Test func changedBytesNeverCrashIt() {
    var random = FixedRandom(state: 16)
    let whole = Self.file()
    for _ in 0..<share(20_000, full: 1_000_000) {
      var bytes = whole
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let header = try? RDBHeader(bytes)
      if let offset = header?.replicationOffset { #expect(offset >= 0) }
    }
  }

  @Test func numbersBeyondAllBoundsAreNone() throws {
    let header = try RDBHeader(
      Array("REDIS0010".utf8) + Self.field("used-mem", Self.text("-5")) + Self.field("ctime", Self.text("x"))
        + Self.field("repl-id", Self.text("short")) + Self.field("repl-offset", Self.text("9"))
        + [250, 0x81] + [UInt8](repeating: 255, count: 8) + [1, 2, 3])
    #expect(header.usedMemoryBytes == nil && header.writtenAt == nil && header.replicationID == nil)
    #expect(header.replicationOffset == nil)
  }
}
