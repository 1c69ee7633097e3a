import Testing

@testable import Redis

/// RESP3 as the reader of RESP takes it.
@Suite struct RESP3Tests {
  private static let text =
    "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n>2\r\n$10\r\ninvalidate\r\n*2\r\n$6\r\nlock:a\r\n$5\r\na\r\n>b\r\n"
    + ">2\r\n$10\r\ninvalidate\r\n_\r\n:-1\r\n,1.5\r\n#t\r\n(123\r\n=7\r\ntxt:abc\r\n-ERR no\r\n$-1\r\n*-1\r\n~0\r\n$0\r\n\r\n"
  private static let plain =
    "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n*2\r\n$10\r\ninvalidate\r\n*2\r\n$6\r\nlock:a\r\n$5\r\na\r\n>b\r\n"
    + "*2\r\n$10\r\ninvalidate\r\n$-1\r\n:-1\r\n+1.5\r\n:1\r\n+123\r\n$7\r\ntxt:abc\r\n-ERR no\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n"

  /// Wherever the bytes are cut.
  @Test func everyKind() throws {
    for size in 1...Self.text.utf8.count {
      var translator = RESP3Translator()
      var translated: [UInt8] = []
      let bytes = Array(Self.text.utf8)
      for start in stride(from: 0, to: bytes.count, by: size) {
        translated += try translator.translate(bytes[start..<min(start + size, bytes.count)])
      }
      #expect(String(decoding: translated, as: UTF8.self) == Self.plain, "\(size) bytes at a time")
    }
    let replies = try Replies.read(Array(Self.plain.utf8))
    let names = replies[1].elements?[1]?.elements
    #expect(replies.count == 13 && names?[1]?.bytes.map { Array($0) } == Array("a\r\n>b".utf8))
    #expect(replies[2].elements?[1]?.isNull == true)
  }

  @Test func whatIsNone() {
    let none = [
      "x1\r\n", "\r\n", "$a\r\n", "%-1\r\n", "%99999999999\r\n", "$99999999999\r\n", "_x\r\n", "+a\n", "|1\r\n",
    ]
    for text in none {
      #expect(throws: ReplyError.self, "\(text)") {
        var translator = RESP3Translator()
        _ = try translator.translate(Array(text.utf8))
      }
    }
    #expect(throws: ReplyError.self) {
      var translator = RESP3Translator()
      _ = try translator.translate([UInt8](repeating: UInt8(ascii: "+"), count: 1 << 17))
    }
  }
}
