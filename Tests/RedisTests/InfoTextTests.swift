import TestSupport
import Testing

@testable import Redis

@Suite struct InfoTextTests {
  private let info = InfoText(
    bytes: Array(
      """
      # Server\r
      redis_version:7.0.15\r
      executable:/a:b:c\r
      \r
      # Replication\r
      master_host:fe80::1\r
      slave0:ip=::1,port=6379,state=online,offset=14,lag=0\r
      empty:\r
      used_memory_peak_perc:99.9%\r
      no colon here\r
      role:master\r
      role:slave\r
      last_without_line_feed:-1
      """.utf8))

  @Test func aValueIsCutAtTheFirstColonOnly() {
    #expect(info.text("executable") == "/a:b:c")
    #expect(info.text("master_host") == "fe80::1")
  }

  @Test func sectionsAndFields() {
    #expect(info.sections == ["Server", "Replication"])
    #expect(info.fields.count == 9)
    #expect(info.fields.map(\.section) == [0, 0, 1, 1, 1, 1, 1, 1, 1])
    #expect(info.text("redis_version") == "7.0.15")
    #expect(info.text("empty") == "")
    #expect(info.text("no colon here") == nil)
    #expect(info.integer("last_without_line_feed") == -1)
    #expect(info.double("used_memory_peak_perc") == nil)
  }

  @Test func theFirstOfTwoFieldsStands() { #expect(info.text("role") == "master") }

  @Test func pairs() {
    let value = info["slave0"] ?? []
    let pairs = InfoPairs(value).map {
      (String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
    }
    #expect(pairs.map(\.0) == ["ip", "port", "state", "offset", "lag"])
    #expect(pairs[0].1 == "::1")
  }

  @Test func linesAreBounded() {
    let bytes = (0..<(Limits.infoLines + 500)).flatMap { Array("f\($0):1\n".utf8) }
    #expect(InfoText(bytes: bytes).fields.count == Limits.infoSectionLines)
  }

  private func section(_ name: String, _ count: Int) -> String {
    "# \(name)\r\n" + (0..<count).map { "\(name.lowercased())_\($0):1\r\n" }.joined() + "\r\n"
  }

  /// A script that makes up error codes fills one section; those after it are whole.
  @Test func aLongSectionTakesNoOtherWithIt() {
    let text = section("Stats", 90) + section("Errorstats", 19_990) + section("Cluster", 1) + section("Keyspace", 3)
    let info = InfoText(bytes: Array(text.utf8))
    #expect(info["keyspace_2"] != nil && info["cluster_0"] != nil && info["stats_89"] != nil)
    #expect(info["errorstats_8191"] != nil && info["errorstats_8192"] == nil)
    #expect(info.cuts == [.init(section: "Errorstats", lineCount: 19_990 - Limits.infoSectionLines)])
  }

  @Test func theLongestSectionsAreCutFirst() {
    let text = section("A", 8000) + section("B", 100) + section("C", 9000) + section("D", 7000) + section("E", 50)
    let info = InfoText(bytes: Array(text.utf8))
    #expect(info.fields.count <= Limits.infoLines && info.fields.count > Limits.infoLines - 5)
    #expect(info["b_99"] != nil && info["e_49"] != nil)
    #expect(info.cuts.map(\.section) == ["A", "C", "D"])
    #expect(info.fields.count + info.cuts.reduce(0) { $0 + $1.lineCount } == 24_150)
    #expect(InfoText.level(of: [1, 10, 10], total: 15) == 7 && InfoText.level(of: [], total: 5) == 5)
  }

  @Test func sectionsAreBounded() {
    let text = (0..<Limits.infoSections + 3).map { section("S\($0)", 2) }.joined()
    let info = InfoText(bytes: Array(text.utf8))
    #expect(info.sections.count == Limits.infoSections && info.fields.count == 2 * Limits.infoSections)
    #expect(info.cuts == [.init(section: "further sections", lineCount: 6)])
  }

  @Test(arguments: ["", "\n", "\r\n", ":", ":\n", "#", "# \n:x\n", "a", "a:", "\u{0}:\u{0}\n"])
  func oddTextsNeverTrap(text: String) {
    let info = InfoText(bytes: Array(text.utf8))
    for field in info.fields { _ = (info.name(of: field), info.value(of: field)) }
  }

  @Test func mutatedTextsNeverTrap() {
    var random = FixedRandom(state: 7)
    let seed = info.bytes
    for _ in 0..<3000 {
      var bytes = seed
      for _ in 0..<8 {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] = [0x0a, 0x0d, 0x3a, 0x23, 0x3d, 0xff].randomElement(using: &random) ?? 0
      }
      let info = InfoText(bytes: bytes)
      for field in info.fields {
        for pair in InfoPairs(info.value(of: field)) { #expect(!pair.key.contains(UInt8(ascii: ","))) }
        #expect(!info.name(of: field).isEmpty)
      }
    }
  }
}

@Suite struct NumberTests {
  @Test(
    arguments: [
      ("0", 0), ("-1", -1), ("+7", 7), ("9007199254740992", 1 << 53), ("9223372036854775807", 1 << 53),
      ("-9223372036854775808", -(1 << 53)), ("99999999999999999999", 1 << 53), ("", nil), ("-", nil), ("1.5", nil),
      ("1 ", nil), ("99%", nil),
    ] as [(String, Int?)])
  func integers(text: String, expected: Int?) { #expect(parseInteger(Array(text.utf8)[...]) == expected) }

  @Test(
    arguments: [
      ("0", 0), ("1.5", 1.5), ("-1", -1), ("1e3", 1000), ("inf", .infinity),
      ("123456789012345678", 123_456_789_012_345_680),
      ("", nil), ("abc", nil), ("1.5%", nil), ("0x10", nil), (" 1", nil),
    ] as [(String, Double?)])
  func doubles(text: String, expected: Double?) { #expect(parseDouble(Array(text.utf8)[...]) == expected) }
}
