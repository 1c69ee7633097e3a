import TestSupport
import Testing

@testable import Redis

private func read(_ text: String) throws -> Replies { try Replies.read(Array(text.utf8)) }

@Suite struct RepliesTests {
  @Test func everyKind() throws {
    let replies = try read("+OK\r\n-ERR no\r\n:42\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n")
    #expect(replies.count == 7)
    #expect(replies[0].kind == .status && replies[0].text == "OK")
    #expect(replies[1].isError && replies[1].errorCode == "ERR")
    #expect(replies[2].integer == 42 && replies[2].double == 42)
    #expect(replies[3].bytes.map(Array.init) == [0x61, 0x0d, 0x0a])
    #expect(replies[4].isNull && replies[5].isNull)
    #expect(replies[6].elements?.count == 0)
  }

  @Test func nestedArraysKeepTheirOrder() throws {
    let replies = try read("*3\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n:9\r\n+next\r\n")
    let outer = try #require(replies[0].elements)
    #expect(outer.count == 3)
    #expect(outer[0]?.elements?[0]?.integer == 1)
    #expect(outer[0]?.elements?[1]?.elements?[0]?.text == "x")
    #expect(outer[1]?.elements?.count == 0)
    #expect(outer[2]?.integer == 9)
    #expect(outer[3] == nil && outer[-1] == nil)
    #expect(replies[1].text == "next")
  }

  @Test func fieldsOfAFlatMap() throws {
    let reply = try read("*6\r\n$4\r\nname\r\n$1\r\nm\r\n$3\r\nlag\r\n$-1\r\n$5\r\nepoch\r\n:7\r\n")[0]
    #expect(reply.field("name")?.text == "m")
    #expect(reply.field("lag")?.isNull == true)
    #expect(reply.field("epoch")?.integer == 7)
    #expect(reply.field("other") == nil)
    #expect(try read(":1\r\n")[0].field("name") == nil)
  }

  @Test(arguments: 1...40)
  func repliesInPieces(size: Int) throws {
    let text = "*2\r\n$5\r\nhello\r\n*1\r\n:7\r\n$11\r\nhello world\r\n-NOPERM x\r\n"
    let reader = ReplyReader()
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let piece = Array(bytes.prefix(size))
      bytes = bytes.dropFirst(size)
      try unsafe piece.withUnsafeBytes { unsafe try reader.feed($0) }
    }
    let replies = reader.take()
    #expect(replies.count == 3)
    #expect(replies[0].elements?[1]?.elements?[0]?.integer == 7)
    #expect(replies[1].text == "hello world")
    #expect(replies[2].errorCode == "NOPERM")
  }

  @Test func aPartOfAReplyStaysForTheNextTake() throws {
    let reader = ReplyReader()
    func feed(_ text: String) throws {
      let bytes = Array(text.utf8)
      try unsafe bytes.withUnsafeBytes { unsafe try reader.feed($0) }
    }
    try feed("+one\r\n*2\r\n$1\r\na\r\n")
    let first = reader.take()
    #expect(first.count == 1 && first[0].text == "one")
    try feed("$1\r\nb\r\n")
    let second = reader.take()
    #expect(second.count == 1)
    #expect(second[0].elements.map { $0.map(\.text) } == ["a", "b"])
  }

  /// Whatever is taken, and however much came before: what stays behind is the beginning of the next reply.
  @Test func nothingOfWhatIsTakenStaysBehind() throws {
    let reader = ReplyReader()
    let head = Array("*3\r\n$7\r\nmessage\r\n".utf8)
    func rest(_ size: Int) -> [UInt8] {
      Array("$4\r\nnews\r\n$\(size)\r\n".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: size) + Array("\r\n".utf8)
    }
    func feed(_ bytes: [UInt8]) throws { try unsafe bytes.withUnsafeBytes { unsafe try reader.feed($0) } }
    try feed(head)
    for size in [8000, 1 << 20, 8000] {
      for _ in 0..<40 {
        try feed(rest(size) + head)
        let taken = reader.take()
        #expect(taken.count == 1 && taken.bytes.count == 11 + size)
        #expect(taken[0].elements.map { $0.map { $0.bytes?.count } } == [7, 4, size])
        #expect(reader.heldBytes < 4096, "\(reader.heldBytes) bytes stay behind")
      }
    }
    // The limit is one of what is held, not of what ever came.
    try feed(rest(1))
    #expect(reader.take()[0].elements.map { $0.map(\.text) } == ["message", "news", "x"])
  }

  @Test func integersStayWhereArithmeticIsSafe() throws {
    let most = Limits.integers.upperBound
    let cases: [(String, Int?)] = [
      ("9007199254740992", most), ("9007199254740993", most), ("9223372036854775807", most),
      ("-9223372036854775808", -most),
      ("99999999999999999999999", most), ("-1", -1), ("+5", 5), ("-0", 0), ("", nil), ("-", nil), ("1.5", nil),
      ("1e300", nil), ("nan", nil), ("12a", nil), (String(repeating: "9", count: 100_000), most),
    ]
    for (text, expected) in cases { #expect(parseInteger(Array(text.utf8)[...]) == expected, "\(text.prefix(30))") }
    let replies = try Replies.read(Array("*2\r\n:9223372036854775807\r\n:-9223372036854775808\r\n".utf8))
    #expect(replies[0].elements.map { $0.map(\.integer) } == [most, -most])
    #expect(replies[0].numbers == [0x1p63, -0x1p63], "samples keep the number that was sent")
    #expect((0..<1023).reduce(0) { sum, _ in sum + most } > 0)
  }

  @Test(arguments: [
    "*2147483647\r\n", "*1048577\r\n", "@nothing\r\n", "$abc\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
  ])
  func hostileRepliesAreRefused(text: String) {
    #expect(throws: ReplyError.self) { try read(text) }
  }

  @Test func tooManyBytesAreRefused() {
    let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: Limits.replyBytes + 1)
    #expect(throws: ReplyError.tooLarge("more than 16 MiB", reply: 0)) { try Replies.read(bytes) }
  }

  private func feed(_ piece: ArraySlice<UInt8>, to reader: ReplyReader) throws(ReplyError) {
    var problem: ReplyError?
    unsafe piece.withUnsafeBytes { bytes in
      do throws(ReplyError) { unsafe try reader.feed(bytes) } catch { problem = error }
    }
    if let problem { throw problem }
  }

  /// The one that is to be left out is the largest, whichever was under way when the bound was passed.
  @Test func theLargestReplyIsNamed() throws {
    func bulk(_ count: Int) -> [UInt8] {
      Array("$\(count)\r\n".utf8) + Array(repeating: 0x78, count: count) + [13, 10]
    }
    // As it comes over the wire, in pieces.
    func place(_ bytes: [UInt8]) -> Int? {
      let reader = ReplyReader()
      for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
        let piece = bytes[start..<min(start + (1 << 16), bytes.count)]
        do throws(ReplyError) { try feed(piece, to: reader) } catch {
          if case .tooLarge(_, let place) = error { return place }
        }
      }
      return nil
    }
    #expect(place(bulk(100) + bulk(Limits.replyBytes)) == 1)
    #expect(place(bulk(100) + bulk(Limits.replyBytes - 1000) + bulk(2000)) == 1)
    #expect(place(bulk(100) + bulk(5000) + Array("*1048577\r\n".utf8)) == 2)
    let many = Array("*1000000\r\n".utf8) + Array(repeating: Array(":1\r\n".utf8), count: 1_000_000).joined()
    #expect(place(bulk(100) + many + many + many) == 1)
  }

  @Test func completeRepliesBeforeGarbageAreKept() {
    let reader = ReplyReader()
    let bytes = Array("+good\r\n?bad\r\n".utf8)
    #expect(throws: ReplyError.self) { try unsafe bytes.withUnsafeBytes { unsafe try reader.feed($0) } }
    #expect(reader.take()[0].text == "good")
  }

  /// Random changes to a real exchange never trap, and what is read can be walked.
  @Test func mutatedRepliesNeverTrap() {
    let seed = Array("*3\r\n$4\r\nINFO\r\n*2\r\n:12\r\n$-1\r\n-ERR x\r\n+OK\r\n:-5\r\n$0\r\n\r\n".utf8)
    var random = FixedRandom(state: 42)
    for _ in 0..<20_000 {
      var bytes = seed
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: place)
        }
      }
      guard let replies = try? Replies.read(bytes) else { continue }
      for index in 0..<replies.count { walk(replies[index]) }
    }
  }

  private func walk(_ reply: Reply) {
    _ = (reply.integer, reply.double, reply.text, reply.errorCode, reply.field("x"))
    for element in reply.elements.map(Array.init) ?? [] { walk(element) }
  }
}

@Suite struct CommandTests {
  @Test func encoding() {
    let command = Command(bytes: [Array("SET".utf8), [], [0x00, 0x0d, 0x0a, 0xff]])
    #expect(command.encoded == Array("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n".utf8) + [0, 13, 10, 255] + [13, 10])
  }

  @Test func aDescriptionShowsNoMoreThanTwoWords() {
    #expect("\(["CONFIG", "GET", "maxmemory"] as Command)" == "CONFIG GET")
    #expect("\(["auth", "user", "secret"] as Command)" == "auth", "of a login, the name alone")
  }
}
