import Testing

@testable import PromQL

@Suite(.timeLimit(.minutes(1))) struct ScriptTests {
  /// A script named for a dialect runs in that one, any other in both.
  static let runs: [(file: String, dialect: Dialect)] = Fixtures.scripts.flatMap { file in
    Dialect.allCases.filter { dialect in
      let isForOther = Dialect.allCases.contains { $0 != dialect && file.contains(".\($0.rawValue.first!)x.") }
      return !isForOther
    }.map { (file, $0) }
  }

  @Test func scriptsAreFound() {
    #expect(Fixtures.scripts.count >= 7)
    #expect(Self.runs.contains { $0.file == "ranges.2x.test" && $0.dialect == .prometheus2 })
    #expect(!Self.runs.contains { $0.file == "ranges.2x.test" && $0.dialect == .prometheus3 })
  }

  @Test(arguments: runs)
  func everyEvalHolds(_ file: String, _ dialect: Dialect) throws {
    let script = try Script(Fixtures.text(file), file: file)
    let report = ScriptRunner(dialect: dialect).run(script)
    #expect(report.failures == [])
    #expect(report.skipped == 0)
    #expect(report.passed == script.evalCount)
    #expect(report.passed > 0)
  }

  private static let load = "load 1m\n  m{a=\"1\"} 1 2\n  m{a=\"2\"} 3 4\n\n"

  /// What does not hold is found, with its line and what was given instead.
  @Test(arguments: [
    ("eval instant at 0 1 + 1\n  3", "s.test:5: 1 + 1: expected 3, got 2"),
    ("eval instant at 0 m\n  m{a=\"1\"} 1", "s.test:5: m: unexpected m{a=\"2\"} 3"),
    ("eval instant at 0 m{a=\"1\"}\n  m{a=\"1\"} 1\n  m{a=\"2\"} 3", "s.test:5: m{a=\"1\"}: missing m{a=\"2\"}"),
    ("eval instant at 0 m{a=\"1\"}\n  m{a=\"1\"} 1.00001", "m{a=\"1\"}: expected 1.00001, got 1"),
    ("eval_ordered instant at 0 sort(m)\n  m{a=\"2\"} 3\n  m{a=\"1\"} 1", "m{a=\"1\"} is at place 1, not at 2"),
    ("eval_fail instant at 0 m", "it should fail, but gave a vector of 2"),
    ("eval instant at 0 m +", "unexpected end of input"),
    ("eval instant at 0 -{a=\"1\"}\n  expect fail msg: other", "should fail"),
    ("eval instant at 0 m * on () m\n  expect fail regex: nothing", "it failed with another error: found duplicate"),
    ("eval instant at 0 sum(m)\n  expect warn\n  {} 4", "expected another warn annotation"),
    (
      "eval instant at 1m rate(m[2m])\n  expect no_info\n  {a=\"1\"} 0.0166666667\n  {a=\"2\"} 0.0166666667",
      "unexpected annotation: PromQL info"
    ),
    ("eval range from 0 to 1m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 3", "expected [1 @ 0, 3 @ 60], got [1 @ 0, 2 @ 60]"),
    ("eval range from 0 to 1m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1", "expected [1 @ 0], got"),
    ("eval instant at 0 \"text\"\n  expect string \"other\"", "expected \"other\", got \"text\""),
  ])
  func failuresAreTold(_ eval: String, _ problem: String) throws {
    let report = ScriptRunner().run(try Script(Self.load + eval, file: "s.test"))
    #expect(report.failed == 1)
    #expect(report.passed == 0)
    #expect(report.failures.first?.contains(problem) == true, "\(report.failures)")
  }

  @Test(arguments: [
    "eval instant at 0 histogram_quantiles(m, \"q\", 0.5)", "eval instant at 0 m\n  m {{schema:0 sum:1 count:1}}",
    "load 1m\n  h {{schema:0 sum:1 count:1}}\n\neval instant at 0 count({__name__=~\"h|m\"})\n  {} 3",
    "eval instant at 0 m + fill(0) m", "eval instant at 0 limitk(1, m)", "eval instant at 0 m[step()]",
  ])
  func whatNeedsMoreIsSkipped(_ eval: String) throws {
    let report = ScriptRunner().run(try Script(Self.load + eval, file: "s.test"))
    #expect(report.failures == [])
    #expect(report.skipped == 1)
    #expect(report.passed == 0)
  }

  @Test(arguments: [
    ("lod 1m", "s.test:1: unknown command \"lod\""), ("\n\nload soon", "s.test:3: \"soon\" is not a duration"),
    ("load 1m\n  m{a=} 1", "s.test:2:"), ("load 1m\n  m{a=\"1\"} 1 two", "s.test:2: \"two\" is not a value"),
    ("load 1m\n  m{a!=\"1\"} 1", "are given with ="), ("eval soon m", "s.test:1: expected instant or range"),
    ("eval instant at 0 m\n  expect luck", "s.test:2: expected one of"),
    ("load 1m\n  m 1x99999999999", "is not a value"),
    ("eval instant at 0 m\n  expect warn regex: (", "s.test:2: the regular expression"),
  ])
  func unreadableScripts(_ text: String, _ message: String) {
    #expect { try Script(text, file: "s.test") } throws: { "\($0)".contains(message) }
  }

  @Test(
    arguments: [
      ("1 2 3", [1, 2, 3]), ("1+2x2", [1, 3, 5]), ("5-2x2", [5, 3, 1]), ("7x2", [7, 7, 7]),
      ("_ 1 _x2 2", [nil, 1, nil, nil, 2]),
      ("-1-1x1", [-1, -2]), ("1e2+.5x1", [100, 100.5]), ("Inf -Inf +inf", [.infinity, -.infinity, .infinity]), ("", []),
      ("1.5e-1x1", [0.15, 0.15]),
    ] as [(String, [Double?])])
  func sequences(_ text: String, _ values: [Double?]) throws {
    #expect(try SeriesNotation.values(text) == values)
  }

  @Test(arguments: ["1+", "x2", "1x", "1+2", "_1", "stale+1x2x3", "1,2", "--1", "1+-2x1y"])
  func badSequences(_ text: String) {
    #expect(throws: SeriesNotation.Fault.self) { try SeriesNotation.values(text) }
  }
}
