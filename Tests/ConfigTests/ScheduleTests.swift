import TestSupport
import Testing

@testable import Config

@Suite(.timeLimit(.minutes(1))) struct ScheduleTests {
  static func time(_ text: String) throws -> Timestamp { try #require(Timestamp.parse(text), "\(text)") }

  static func schedule(_ windows: String...) throws -> Schedule {
    Schedule(try windows.map { try Window.parse($0) })
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("2000-02-29T12:00:00Z", 951_825_600_000),
    ("2026-12-31T23:59:59Z", 1_798_761_599_000), ("2027-01-01T01:00:00+02:00", 1_798_758_000_000),
    ("2026-11-27t00:00:00.1239z", 1_795_737_600_123), ("2026-11-27T00:00:00.5-00:30", 1_795_739_400_500),
    ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
  ])
  func timeIsRead(text: String, epochMs: Int64) throws {
    #expect(try Self.time(text).epochMs == epochMs)
  }

  @Test(arguments: [
    "", "2026-11-27", "2026-11-27T00:00:00", "2026-11-27 00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-06-30T23:59:60Z", "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx", "+026-01-01T00:00:00Z",
    "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
  ])
  func otherTextIsNoTime(text: String) {
    #expect(Timestamp.parse(text) == nil)
  }

  @Test func everyDayComesBack() {
    for days in stride(from: Int64(-719_528), through: 2_932_896, by: 17) {
      let date = Timestamp.civilDate(days: days)
      #expect(Timestamp.days(year: date.year, month: date.month, day: date.day) == days)
    }
  }

  @Test(arguments: [
    "2026-11-27T00:00:00Z/2026-11-30T00:00:00Z", "2026-11-27T00:00:00.250Z/2026-11-30T00:00:00Z",
    "Mon 02:00-04:00 UTC", "Mon,Wed,Sun 22:00-06:00 +05:30", "Tue 00:00-24:00 -11:00",
  ])
  func windowPrintsAsWritten(text: String) throws {
    #expect(try Window.parse(text).description == text)
  }

  @Test(arguments: [
    ("Mon-Wed 02:00-04:00 UTC", "Mon,Tue,Wed 02:00-04:00 UTC"),
    ("sat-MON 02:00-04:00 Z", "Mon,Sat,Sun 02:00-04:00 UTC"),
    ("Mon 02:00-02:00 UTC", "Mon 02:00-02:00 UTC"), ("Mon 00:00-00:00 UTC", "Mon 00:00-24:00 UTC"),
    ("2026-11-27T02:00:00+02:00/2026-11-27T02:00:00Z", "2026-11-27T00:00:00Z/2026-11-27T02:00:00Z"),
  ])
  func windowPrintsPlainly(text: String, expected: String) throws {
    #expect(try Window.parse(text).description == expected)
  }

  // 2026-11-23 and 2027-01-04 are Mondays; 2026-12-31 is a Thursday.
  static let moments: [(String, String, Bool)] = [
    ("Mon 02:00-04:00 UTC", "2026-11-23T02:00:00Z", true),
    ("Mon 02:00-04:00 UTC", "2026-11-23T01:59:59.999Z", false),
    ("Mon 02:00-04:00 UTC", "2026-11-23T03:59:59.999Z", true),
    ("Mon 02:00-04:00 UTC", "2026-11-23T04:00:00Z", false),
    ("Mon 02:00-04:00 UTC", "2026-11-24T03:00:00Z", false),
    ("Thu 22:00-06:00 UTC", "2027-01-01T05:59:59Z", true),
    ("Thu 22:00-06:00 UTC", "2027-01-01T06:00:00Z", false),
    ("Thu 22:00-06:00 UTC", "2026-12-31T05:00:00Z", false),
    ("Fri 00:00-01:00 +14:00", "2026-12-31T10:30:00Z", true),
    ("Thu 23:00-24:00 -11:00", "2027-01-01T10:30:00Z", true),
    ("Sun 22:00-06:00 UTC", "2026-11-23T05:00:00Z", true),
    ("Mon 00:00-24:00 UTC", "1969-12-29T00:00:00Z", true),
    ("Wed 23:00-01:00 UTC", "1969-12-31T23:30:00Z", true),
    ("Wed 23:00-01:00 UTC", "1970-01-01T00:30:00Z", true),
    ("Thu 12:00-13:00 UTC", "2024-02-29T12:00:00Z", true),
    ("2026-12-31T23:00:00Z/2027-01-01T01:00:00Z", "2027-01-01T00:00:00Z", true),
    ("2026-12-31T23:00:00Z/2027-01-01T01:00:00Z", "2027-01-01T01:00:00Z", false),
  ]

  @Test(arguments: moments)
  func momentIsInWindow(window: String, moment: String, isInside: Bool) throws {
    #expect(try Self.schedule(window).contains(Self.time(moment)) == isInside)
  }

  static let changes: [([String], String, String?)] = [
    (["Mon 02:00-04:00 UTC"], "2026-11-22T00:00:00Z", "2026-11-23T02:00:00Z"),
    (["Mon 02:00-04:00 UTC"], "2026-11-23T02:00:00Z", "2026-11-23T04:00:00Z"),
    (["Mon 02:00-04:00 UTC"], "2026-11-23T04:00:00Z", "2026-11-30T02:00:00Z"),
    (["Thu 22:00-06:00 +01:00"], "2026-12-31T20:59:59Z", "2026-12-31T21:00:00Z"),
    (["Thu 22:00-06:00 +01:00"], "2026-12-31T21:00:00Z", "2027-01-01T05:00:00Z"),
    // Windows that touch or overlap are one.
    (["Mon 02:00-04:00 UTC", "Mon 04:00-05:00 UTC"], "2026-11-23T03:00:00Z", "2026-11-23T05:00:00Z"),
    (["Mon 02:00-04:00 UTC", "Mon 03:00-05:00 UTC"], "2026-11-23T02:00:00Z", "2026-11-23T05:00:00Z"),
    (["Fri-Sun 00:00-24:00 UTC"], "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z"),
    // Without a gap there is no change.
    (["Mon-Sun 00:00-24:00 UTC"], "2026-11-23T03:00:00Z", nil),
    (["Mon-Thu 00:00-24:00 UTC", "Fri-Sun 00:00-24:00 UTC"], "2026-11-23T03:00:00Z", nil),
    (
      ["Mon-Sat 00:00-24:00 UTC", "2026-11-29T00:00:00Z/2026-11-30T00:00:00Z"], "2026-11-23T03:00:00Z",
      "2026-12-06T00:00:00Z"
    ),
    (
      ["Mon 02:00-04:00 UTC", "2026-11-01T00:00:00Z/9999-01-01T00:00:00Z"], "2026-11-23T03:00:00Z",
      "9999-01-01T00:00:00Z"
    ),
    (["2026-12-31T23:00:00Z/2027-01-01T01:00:00Z"], "2026-12-01T00:00:00Z", "2026-12-31T23:00:00Z"),
    (["2026-12-31T23:00:00Z/2027-01-01T01:00:00Z"], "2027-01-01T01:00:00Z", nil),
    ([], "2027-01-01T01:00:00Z", nil),
  ]

  @Test(arguments: changes)
  func nextChangeIsFound(windows: [String], moment: String, expected: String?) throws {
    let schedule = Schedule(try windows.map { try Window.parse($0) })
    #expect(try schedule.nextChange(after: Self.time(moment)) == expected.map { try Self.time($0) })
  }

  /// Minute by minute over five weeks around the turn of a year, against the plain definition.
  @Test func nextChangeAgreesWithContains() throws {
    var random = FixedRandom(state: 11)
    let start = try Self.time("2026-12-15T00:00:00Z").epochMs
    for _ in 0..<40 {
      let windows = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        Window.weekly(
          WeeklyWindow(
            days: Set((0...2).map { _ in WeeklyWindow.Day.allCases.randomElement(using: &random)! }),
            startMinute: Int.random(in: 0..<144, using: &random) * 10,
            lengthMinutes: Int.random(in: 1...144, using: &random) * 10,
            offset: UTCOffset(minutes: Int.random(in: -28...28, using: &random) * 30)))
      }
      let schedule = Schedule(windows)
      var time = Timestamp(epochMs: start + Int64.random(in: 0...2000, using: &random) * 600_000)
      guard let change = schedule.nextChange(after: time) else { continue }
      let before = schedule.contains(time)
      #expect(change > time && schedule.contains(change) != before)
      while time < change {
        #expect(schedule.contains(time) == before)
        time = Timestamp(epochMs: time.epochMs + 600_000)
      }
    }
  }
}
