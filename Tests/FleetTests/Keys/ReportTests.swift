import Metrics
import Redis
import Testing

@testable import Fleet

/// The text page of what `add` adds.
func page(_ add: (inout SampleSink) -> Void) -> String {
  var sink = SampleSink()
  add(&sink)
  let lines = String(decoding: Exposition().page([sink.finish()]), as: UTF8.self).split(separator: "\n")
  return lines.filter { !$0.hasPrefix("#") }.sorted().joined(separator: "\n")
}

func replies(_ resp: String) throws -> Replies { try Replies.read(Array(resp.utf8)) }

@Suite struct ReportTests {
  @Test func aKeyShowsWhatIsKnown() throws {
    let answers = try replies("+string\r\n:56\r\n")
    var report = KeyReport(name: Array("a\"b".utf8), type: answers[0], memory: answers[1])
    report.size = 2
    report.value = KeyReport.value(of: Array("42".utf8)[...])
    #expect(
      page { report.add(database: 3, showsMissing: true, into: &$0) } == """
        redis_key_memory_usage_bytes{db="db3",key="a\\"b"} 56
        redis_key_size{db="db3",key="a\\"b"} 2
        redis_key_value{db="db3",key="a\\"b"} 42
        """)
  }

  @Test func aMissingKeyHasSizeZeroWhereAskedFor() throws {
    let answers = try replies("+none\r\n$-1\r\n")
    let report = KeyReport(name: Array("gone".utf8), type: answers[0], memory: answers[1])
    #expect(
      page { report.add(database: 0, showsMissing: true, into: &$0) } == "redis_key_size{db=\"db0\",key=\"gone\"} 0")
    #expect(page { report.add(database: 0, showsMissing: false, into: &$0) } == "")
  }

  @Test func errorsAreNoTypesAndNoSizes() throws {
    let answers = try replies("-MOVED 1 127.0.0.1:1\r\n-NOPERM no\r\n")
    let report = KeyReport(name: [], type: answers[0], memory: answers[1])
    #expect(report.isElsewhere && report.type.isEmpty && report.memoryBytes == nil)
    #expect(page { report.add(database: 0, showsMissing: true, into: &$0) } == "")
  }

  @Test func valuesAreNumbersTextsOrNothing() {
    func value(_ text: String) -> KeyReport.Value? { KeyReport.value(of: Array(text.utf8)[...]) }
    #expect(value("1.5e3") == .number(1500))
    #expect(value("0x10") == .text("0x10"))
    #expect(value("") == nil)
    #expect(value(String(repeating: "x", count: 1024)) == .text(String(repeating: "x", count: 1024)))
    #expect(value(String(repeating: "1", count: 1025)) == nil)
  }

  @Test func longNamesAreCutAndStayApart() {
    let long = [UInt8](repeating: 0x61, count: 600)
    #expect(keyLabel(long).utf8.count <= KeyWorkLimits.labelBytes)
    #expect(keyLabel(long) != keyLabel(long + [0x62]))
    #expect(keyLabel(Array("plain".utf8)) == "plain")
  }

  static let scripts: [(resp: String, outcome: ScriptReport.Outcome, names: [String])] = [
    ("*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n", .values, ["a", "b"]), ("*0\r\n", .empty, []),
    ("-ERR it failed\r\n", .failed, []), ("$-1\r\n", .failed, []), ("*2\r\n$1\r\na\r\n$1\r\nx\r\n", .failed, []),
    ("*3\r\n$1\r\na\r\n:7\r\n$1\r\nb\r\n", .failed, ["a"]), (":5\r\n", .failed, []),
  ]

  @Test(arguments: scripts) func aScriptReturnsNamesAndNumbers(
    resp: String, outcome: ScriptReport.Outcome, names: [String]
  ) throws {
    let report = ScriptReport(try replies(resp)[0])
    #expect(report.outcome == outcome)
    #expect(report.values.map(\.name) == names)
  }

  @Test func theLastOfTwoEqualNamesStands() throws {
    let report = ScriptReport(try replies("*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n")[0])
    #expect(
      page { report.add(fileName: "f.lua", into: &$0) } == """
        redis_script_result{filename="f.lua"} 1
        redis_script_values{key="a",filename="f.lua"} 2
        """)
  }

  static let scans: [(resp: String, cursor: String?, count: Int)] = [
    ("*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", "0", 2), ("*2\r\n$2\r\n17\r\n*0\r\n", "17", 0),
    ("*2\r\n$1\r\nx\r\n*0\r\n", nil, 0), ("*1\r\n$1\r\n0\r\n", nil, 0), ("+OK\r\n", nil, 0),
    ("*2\r\n$0\r\n\r\n*0\r\n", nil, 0), ("*2\r\n$1\r\n0\r\n$1\r\n0\r\n", nil, 0),
  ]

  @Test(arguments: scans) func aPageOfScan(resp: String, cursor: String?, count: Int) throws {
    let page = ScanPage(try replies(resp)[0])
    #expect(page.map { String(decoding: $0.cursor, as: UTF8.self) } == cursor)
    #expect(page?.names.count ?? 0 == count)
  }

  /// Replies of any shape are read without a trap.
  @Test func anyShapeOfReplyIsRead() throws {
    var random = SeededRandom(seed: 5)
    for _ in 0..<3_000 {
      let reply = try replies(Self.randomReply(&random, depth: 0))[0]
      _ = ScriptReport(reply)
      _ = ScanPage(reply)
      _ = KeyReport(name: [1], type: reply, memory: reply)
      if var report = StreamReport(name: [1], stream: reply, groups: reply) { report.readFull(reply) }
      if var group = StreamReport.Group(reply) {
        group.readPending(reply)
        group.readConsumers(reply)
      }
    }
  }

  private static func randomReply(_ random: inout SeededRandom, depth: Int) -> String {
    let words = ["length", "groups", "name", "0-1", "12-x", "", "first-entry", "pending", "idmp-duration", "lag"]
    switch Int.random(in: 0...(depth > 3 ? 3 : 6), using: &random) {
    case 0: return ":\(Int.random(in: -5...500, using: &random))\r\n"
    case 1: return "$-1\r\n"
    case 2: return "-ERR \(words.randomElement(using: &random)!)\r\n"
    case 3:
      let word = words.randomElement(using: &random)!
      return "$\(word.utf8.count)\r\n\(word)\r\n"
    default:
      let count = Int.random(in: 0...6, using: &random)
      return "*\(count)\r\n" + (0..<count).map { _ in randomReply(&random, depth: depth + 1) }.joined()
    }
  }
}
