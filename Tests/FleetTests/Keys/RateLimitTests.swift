import Config
import Metrics
import Testing

@testable import Fleet
@testable import Redis

/// What names and lives of counters say of a rate limit.
@Suite struct RateLimitTests {
  private typealias Walks = PatternWatchTests.Walks<RateLimitWatch>

  /// 2024-06-13 14:30:20 UTC.
  private static let now = 1_718_289_020.0

  private static func watch(_ fields: String) throws -> RateLimitWatch {
    try KeyWatchTests.one(RateLimitWatch.self, "{rate_limits: [{name: api, \(fields)}]}")
  }

  private static let fixed = "kind: fixed, patterns: ['rate:*:*'], limit: 100, window: 60s"

  // MARK: Windows

  @Test func windowsStandBehindTheLastMark() throws {
    func stamp(_ pattern: String, _ key: String) -> Int64? {
      WindowPlace(Array(pattern.utf8))?.stamp(in: Array(key.utf8))?.value
    }
    #expect(stamp("rate:*:*", "rate:me:2024061314") == 2_024_061_314)
    #expect(stamp("rate:*:*", "rate:::1:12") == 12, "an IPv6 address has colons as well")
    #expect(stamp("rate:*:*:v1", "rate:a:77:v1") == 77 && stamp("rate:*:*:v1", "rate:a:77:v2") == nil)
    #expect(stamp("rate:login:*", "rate:login:5") == 5)
    #expect(stamp("rate:*:*", "rate:me:") == nil && stamp("rate:*:*", "rate:me:12x") == nil)
    #expect(stamp("rate:*:*", "rate:me:1234567890123456") == nil, "16 digits are no time")
    #expect(stamp("r:*", "r") == nil && stamp("r:*", "") == nil)
    for pattern in ["rate", "*", "rate:**", "rate:?:*", "rate:[ab]:*"] {
      #expect(WindowPlace(Array(pattern.utf8)) == nil, "\(pattern)")
    }
  }

  /// Each form gives the window of 14:30:20, with the length that it says, or the one that is declared.
  @Test(
    arguments: [
      (WindowFormat.day, "20240613", 1_718_236_800.0, 86_400.0), (.hour, "2024061314", 1_718_287_200, 3600),
      (.minute, "202406131430", 1_718_289_000, 60), (.seconds, "1718289000", 1_718_289_000, 30),
      (.milliseconds, "1718289000000", 1_718_289_000, 30), (.number, "57276300", 1_718_289_000, 30),
    ])
  func eachFormatIsFound(format: WindowFormat, text: String, start: Double, length: Double) throws {
    let stamp = try #require(WindowStamp(text.utf8))
    #expect(format.window(stamp, length: 30) == RateWindow(start: start, length: length))
    let readings = (0..<20).map {
      RateWindows.Reading(hash: $0, stamp: stamp, expires: nil, isOver: false, now: Self.now)
    }
    #expect(RateWindows.format(of: readings, length: 30) == format)
  }

  /// Ten digits are an hour, or a second: what is near to now decides.
  @Test func tenDigits() throws {
    func format(_ text: String, at now: Double) -> WindowFormat? {
      let reading = RateWindows.Reading(
        hash: 1, stamp: WindowStamp(text.utf8), expires: nil, isOver: false, now: now)
      return RateWindows.format(of: [reading], length: 60)
    }
    #expect(format("2024061314", at: Self.now) == .hour)
    #expect(format("1718289000", at: Self.now) == .seconds)
    #expect(format("2024061314", at: 2_024_061_330) == .seconds, "in the year 2034")
    #expect(format("2024061310", at: Self.now) == nil, "four hours ago")
    #expect(format("2024061315", at: Self.now) == nil, "an hour that is to come: no time of UTC")
  }

  @Test(arguments: ["2024061324", "2024023014", "2024130114", "20240613", "2024061314x", ""])
  func noHour(text: String) {
    #expect(WindowStamp(text.utf8).flatMap { WindowFormat.hour.window($0, length: 60) } == nil)
  }

  @Test func nineOfTenKeysDecide() throws {
    func format(strays: Int) -> WindowFormat? {
      let readings = (0..<20).map { number in
        RateWindows.Reading(
          hash: UInt64(number), stamp: number < strays ? nil : WindowStamp("2024061314".utf8),
          expires: nil, isOver: false, now: Self.now)
      }
      return RateWindows.format(of: readings, length: 60)
    }
    #expect(format(strays: 2) == .hour && format(strays: 3) == nil && format(strays: 20) == nil)
  }

  // MARK: Walks

  private func counter(_ ttl: Int, _ count: String, at now: Double) -> [[String?]] {
    let (seconds, micros) = ("\(Int(now))", "\(Int((now - now.rounded(.down)) * 1e6))")
    let time = "*2\r\n" + PatternWatchTests.text(seconds) + PatternWatchTests.text(micros)
    return [[PatternWatchTests.number(ttl), "+string\r\n"], [PatternWatchTests.text(count), time]]
  }

  /// The stamp is an hour, EXPIRE is 60: but for the last minute of the hour every count is forgotten in its window.
  @Test func anHourThatIsCountedForAMinute() throws {
    var walks = Walks(try Self.watch(Self.fixed))
    let hour = Dictionary(
      uniqueKeysWithValues: (0..<10).map { ("rate:\($0):2024061314", counter(60_000 - $0 * 1000, "7", at: Self.now)) })
    var lines = try walks.walk(at: 0, hour)
    #expect(lines.contains("redis_rate_limit_expiring_early{limit=\"api\"} 10"))
    #expect(lines.contains("redis_rate_limit_keys{limit=\"api\"} 10"))
    // The same with a minute's stamp.
    walks = Walks(try Self.watch(Self.fixed))
    let minute = Dictionary(
      uniqueKeysWithValues: (0..<10).map { ("rate:\($0):202406131430", counter(60_000 - $0 * 1000, "7", at: Self.now)) }
    )
    lines = try walks.walk(at: 0, minute)
    #expect(lines.contains("redis_rate_limit_expiring_early{limit=\"api\"} 0"))
    #expect(lines.contains("redis_rate_limit_expiring_late{limit=\"api\"} 0"))
  }

  /// The window ends at 14:31:00; the tolerance is 3 s, the TTL 60 s.
  @Test(arguments: [(36_000, 1, 0), (37_000, 0, 0), (102_000, 0, 0), (104_000, 0, 1), (-1, 0, 0)])
  func tooEarlyAndTooLate(ttl: Int, early: Int, late: Int) throws {
    var walks = Walks(try Self.watch(Self.fixed))
    let lines = try walks.walk(at: 0, ["rate:a:202406131430": counter(ttl, "7", at: Self.now)])
    #expect(lines.contains("redis_rate_limit_expiring_early{limit=\"api\"} \(early)"))
    #expect(lines.contains("redis_rate_limit_expiring_late{limit=\"api\"} \(late)"))
    #expect(lines.contains("redis_rate_limit_without_ttl{limit=\"api\"} \(ttl == -1 ? 1 : 0)"))
  }

  /// A window counts once, when it has ended, with the most that was seen of it.
  @Test func windowsThatEndedCountOnce() throws {
    var walks = Walks(try Self.watch(Self.fixed))
    func over(_ lines: [String]) -> String? {
      lines.first { $0.hasPrefix("redis_rate_limit_over_ratio") }.map { String($0.split(separator: " ")[1]) }
    }
    let names = ["rate:a:202406131430", "rate:b:202406131430", "rate:c:202406131430", "rate:d:202406131430"]
    func keys(_ counts: [Int?], at now: Double) -> [String: [[String?]]] {
      var keys: [String: [[String?]]] = [:]
      for (name, count) in zip(names, counts) { keys[name] = count.map { counter(30_000, "\($0)", at: now) } }
      return keys
    }
    #expect(over(try walks.walk(at: 0, keys([101, 100, 5, 200], at: Self.now))) == nil, "no window has ended")
    // The last is gone before its window has ended, and counts with what was seen.
    #expect(over(try walks.walk(at: 15, keys([120, 100, 101], at: Self.now + 15))) == nil)
    #expect(over(try walks.walk(at: 45, keys([120, 100, 101], at: Self.now + 45))) == "0.75")
    #expect(over(try walks.walk(at: 60, keys([120, 100, 101], at: Self.now + 60))) == "0.75", "each once")
    #expect(over(try walks.walk(at: 75, keys([nil, 100], at: Self.now + 75))) == "0.75")
    // They are forgotten a quarter of an hour after their end.
    #expect(over(try walks.walk(at: 1000, keys([nil, 100], at: Self.now + 1000))) == nil)
  }

  @Test func windowsThatNobodyUnderstands() throws {
    var walks = Walks(try Self.watch(Self.fixed))
    let lines = try walks.walk(at: 0, ["rate:a:77": counter(5000, "7", at: Self.now)])
    #expect(
      lines == ["redis_rate_limit_keys{limit=\"api\"} 1", "redis_rate_limit_without_ttl{limit=\"api\"} 0"],
      "what is not known has no series")
    let notice = try #require(walks.last.flatMap(walks.watch.notice))
    #expect(!notice.reason.contains("77") && notice.reason.contains("api"))
    // Declared, the same digits are a window of 1970, long over.
    walks = Walks(try Self.watch(Self.fixed + ", window_format: epoch"))
    #expect(
      try walks.walk(at: 0, ["rate:a:77": counter(5000, "7", at: Self.now)]).contains(
        "redis_rate_limit_expiring_late{limit=\"api\"} 1"))
    #expect(walks.last.flatMap(walks.watch.notice) == nil)
  }

  @Test func whatIsNoCounterIsLeftOut() throws {
    var walks = Walks(try Self.watch(Self.fixed))
    try walks.walk(
      at: 0,
      [
        "rate:a:202406131430": counter(5000, "seven", at: Self.now),
        "rate:b:202406131430": counter(5000, "", at: Self.now),
        "rate:c:202406131430": [[PatternWatchTests.number(5000), "+hash\r\n"]],
        "rate:d:202406131430": [[PatternWatchTests.number(-2), "+none\r\n"]],
      ])
    #expect(walks.last?.omittedCount == 2)
    // Without TIME nobody knows which window it is.
    let lines = try walks.walk(
      at: 15,
      ["rate:a:202406131430": [[PatternWatchTests.number(-1), "+string\r\n"], [PatternWatchTests.text("7"), nil]]])
    #expect(
      lines == ["redis_rate_limit_keys{limit=\"api\"} 1", "redis_rate_limit_without_ttl{limit=\"api\"} 1"])
  }

  @Test func slidingAndBucket() throws {
    var walks = Walks(try Self.watch("kind: sliding, patterns: ['calls:*'], limit: 20"))
    func set(_ ttl: Int, _ size: Int) -> [[String?]] {
      [
        [PatternWatchTests.number(ttl), "+zset\r\n"],
        [PatternWatchTests.number(size), PatternWatchTests.number(size * 100)],
      ]
    }
    let lines = try walks.walk(at: 0, ["calls:a": set(5000, 201), "calls:b": set(-1, 200), "calls:c": set(9, 1)])
    #expect(
      lines == [
        "redis_rate_limit_keys{limit=\"api\"} 3", "redis_rate_limit_largest_size{limit=\"api\"} 201",
        "redis_rate_limit_memory_bytes{limit=\"api\"} 40200", "redis_rate_limit_without_ttl{limit=\"api\"} 1",
      ])
    #expect(walks.last?.sizes.oversizeCount == 1, "10 times the limit is the bound")
    walks = Walks(try Self.watch("kind: bucket, patterns: ['bucket:*']"))
    let bucket = try walks.walk(at: 0, ["bucket:a": [[PatternWatchTests.number(-1)]]])
    #expect(
      bucket == ["redis_rate_limit_keys{limit=\"api\"} 1", "redis_rate_limit_without_ttl{limit=\"api\"} 1"])
  }

  // MARK: The configuration

  @Test(
    arguments: [
      ("kind: fixed, patterns: ['rate:*:*'], limit: 9", "window"),
      ("kind: fixed, patterns: ['rate:*:*'], window: 60s", "limit"),
      ("kind: sliding, patterns: ['a:*']", "limit"), ("kind: fixed, limit: 9, window: 60s", "patterns"),
      ("patterns: ['a:*']", "kind"), ("kind: leaky, patterns: ['a:*'], limit: 9", "kind"),
      ("kind: fixed, patterns: ['rate:?:*'], limit: 9, window: 60s", "patterns"),
      ("kind: fixed, patterns: ['rate:*:*'], limit: 9, window: 60s, window_format: hour", "window_format"),
    ])
  func whatIsMissingOrWrongIsNamed(fields: String, key: String) {
    let error = #expect(throws: ConfigErrors.self) { try Self.watch(fields) }
    #expect(error?.description.contains("rate_limits[0].\(key)") == true, "\(error?.description ?? "")")
  }

  @Test func namesAreTheirOwnAndTwentyAtMost() throws {
    func limits(_ names: [String]) -> String {
      let entries = names.map { "{name: \($0), kind: bucket, patterns: ['\($0):*']}" }
      return "{rate_limits: [\(entries.joined(separator: ", "))]}"
    }
    #expect(try KeyWatchTests.watches(limits((1...20).map { "l\($0)" })).count == 24)
    #expect(throws: ConfigErrors.self) { try KeyWatchTests.watches(limits((1...21).map { "l\($0)" })) }
    #expect(throws: ConfigErrors.self) { try KeyWatchTests.watches(limits(["api", "api"])) }
  }
}
