import Testing

@testable import Config

@Suite struct LogTests {
  static let times: [(Int64, String)] = [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_786_008_600_125, "2026-08-06T09:30:00.125Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
    (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
  ]

  @Test(arguments: times)
  func timeIsCivil(epochMs: Int64, text: String) {
    #expect(Timestamp(epochMs: epochMs).description == text)
  }

  @Test func everyDayFollowsTheOneBefore() {
    var before = Timestamp.civilDate(days: -1_000_000)
    for days in -999_999...1_000_000 as ClosedRange<Int64> {
      let date = Timestamp.civilDate(days: days)
      let isNext =
        date.day == before.day + 1
        || (date.day == 1 && before.day >= 28 && date.month == before.month % 12 + 1)
      guard isNext else { return #expect(Bool(false), "\(before) is followed by \(date)") }
      before = date
    }
  }

  static let lines: [(value: String, txt: String, json: String)] = [
    ("plain", "plain", "\"plain\""), ("", "\"\"", "\"\""), ("two words", "\"two words\"", "\"two words\""),
    ("a=b", "\"a=b\"", "\"a=b\""), ("say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""),
    ("x\nlevel=error", "\"x\\nlevel=error\"", "\"x\\nlevel=error\""), ("c:\\", "\"c:\\\\\"", "\"c:\\\\\""),
    ("\u{1B}[2J\u{0}", "\"\\u001b[2J\\u0000\"", "\"\\u001b[2J\\u0000\""), ("é", "\"é\"", "\"é\""),
    ("\u{202E}\u{E0041}", "\"\\u202e\\udb40\\udc41\"", "\"\\u202e\\udb40\\udc41\""),
    ("\u{85}\u{2028}", "\"\\u0085\\u2028\"", "\"\\u0085\\u2028\""),
  ]

  @Test(arguments: lines)
  func valueIsEscaped(value: String, txt: String, json: String) {
    let time = Timestamp(epochMs: 0)
    func line(_ format: LogFormat) -> String {
      let bytes = format.line(time: time, level: "info", message: "m", fields: [("k y", value), ("", "x")])
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(line(.txt) == "time=1970-01-01T00:00:00.000Z level=info msg=m k_y=\(txt)\n")
    #expect(
      line(.json) == "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"msg\":\"m\",\"k y\":\(json)}\n")
  }
}
