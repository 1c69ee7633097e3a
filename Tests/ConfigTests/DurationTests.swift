import Testing

@testable import Config

@Suite struct DurationTests {
  static let good: [(String, Int64)] = [
    ("0", 0), ("+0", 0), ("-0", 0), ("5s", 5_000_000_000), ("300ms", 300_000_000), ("-5s", -5_000_000_000),
    ("1h2m3.5s", 3_723_500_000_000), (".5s", 500_000_000), ("1.s", 1_000_000_000), ("+1m", 60_000_000_000),
    ("1ns", 1), ("1us", 1_000), ("1\u{B5}s", 1_000), ("1\u{3BC}s", 1_000), ("0.1h", 360_000_000_000),
    ("1.5ns", 1), ("9223372036854775807ns", .max), ("0.000000001s", 1), ("1s1s", 2_000_000_000),
    ("0.333333333333333333s", 333_333_333),
  ]

  @Test(arguments: good)
  func goSyntaxIsRead(text: String, ns: Int64) {
    #expect(DurationSyntax.go.parse(text) == .nanoseconds(ns))
  }

  @Test(arguments: [
    "", "s", "-", "+", "5", "5 s", " 5s", "5S", ".s", "1.2.3s", "--5s", "1e3s", "5x", "9223372036854775808ns",
    "2562048h", "1d", "٣s",
  ])
  func otherTextIsNot(text: String) {
    #expect(DurationSyntax.go.parse(text) == nil)
  }

  @Test func extendedSyntaxKnowsLongUnits() {
    #expect(DurationSyntax.extended.parse("1y2w3d") == .seconds((365 + 14 + 3) * 86_400))
    #expect(DurationSyntax.extended.parse("1d12h") == .seconds(129_600))
  }

  @Test func secondsAreExactEnough() {
    #expect(Duration.milliseconds(1500).seconds == 1.5)
  }
}
