import Testing

@testable import PromQL

@Suite struct SelectorReachTests {
  private static let minute: Int64 = 60_000

  /// Minutes; nil where a time is named.
  @Test(
    arguments: [
      ("x", [5]), ("x offset 1h", [65]), ("x offset -1h", [0]), ("rate(x[30m])", [30]),
      ("rate(x[30m] offset 10m)", [40]),
      ("max_over_time(rate(x[10m])[1h:1m])", [70]), ("max_over_time(x[1h:1m] offset 1d)", [65 + 24 * 60]),
      ("rate(x[5m]) > 2 * rate(y[6h] offset 10m)", [5, 370]), ("x @ 100", [nil]),
      ("sum(x) + topk(scalar(y), z)", [5, 5, 5]),
      ("max_over_time(x[1h:] @ 100)", [nil]), ("max_over_time((x @ end())[1h:])", [5]), ("1 + 1", []),
    ] as [(String, [Int64?])])
  func minutes(_ text: String, _ minutes: [Int64?]) throws {
    #expect(try Query(text).reaches().map { $0.milliseconds.map { $0 / Self.minute } } == minutes)
  }

  @Test(
    arguments: [
      ("x @ 1000", [700]), ("x", [nil]), ("rate(x[1m] @ 1000 offset 10s)", [930]),
      ("max_over_time(rate(x[1m])[2m:1m] @ 1000)", [820]), ("x @ end()", [nil]),
    ] as [(String, [Int64?])])
  func namedSeconds(_ text: String, _ seconds: [Int64?]) throws {
    #expect(try Query(text).reaches().map { $0.namedMilliseconds.map { $0 / 1000 } } == seconds)
  }

  /// Over an hour the end is 60 minutes after the first evaluation.
  @Test(
    arguments: [("x @ end()", -55), ("x @ end() offset 2h", 65), ("x @ start()", 5), ("x", 5)] as [(String, Int64)])
  func minutesOfARange(_ text: String, _ minutes: Int64) throws {
    #expect(try Query(text).reaches(spanMilliseconds: 60 * Self.minute).first?.milliseconds == minutes * Self.minute)
  }

  @Test func aPolicyKeepsWhatIsRead() throws {
    var policy = HistoryPolicy()
    policy.keep(try Query("rate(evicted_total[5m]) > 2 * rate(evicted_total[6h] offset 10m) and up"))
    #expect(policy.milliseconds(for: "evicted_total") == 372 * Self.minute)
    #expect(policy.milliseconds(for: "up") == 7 * Self.minute)
    #expect(policy.milliseconds(for: "other") == HistoryPolicy.shortestMilliseconds)
  }
}
