import Testing

@testable import PromQL

@Suite(.timeLimit(.minutes(1))) struct SyntaxTests {
  /// Each query with how it prints; what is printed prints the same again.
  @Test(arguments: [
    ("up", "up"), ("  sum ( rate(x_total[5m]) ) by(job)", "sum by (job) (rate(x_total[5m]))"),
    ("SUM without(a,)(x)", "sum without (a) (x)"), ("a+b*c^d", "a + b * c ^ d"), ("(a+b)*c", "(a + b) * c"),
    ("x{b=\"1\",a!='2',c=~`d.*`}", "x{a!=\"2\",b=\"1\",c=~\"d.*\"}"), ("{__name__=\"x\"}", "{__name__=\"x\"}"),
    ("x offset 90m @ 1.5", "x @ 1.500 offset 1h30m"), ("x @ start() offset -1d", "x @ start() offset -1d"),
    ("x[1h:] offset 1w", "x[1h:] offset 1w"), ("max_over_time(x[1h:30s] @ end())", "max_over_time(x[1h:30s] @ end())"),
    ("a == bool on(x) group_left(y,z) b", "a == bool on (x) group_left (y, z) b"),
    ("a / ignoring(x) group_right b", "a / ignoring (x) group_right () b"), ("a and on() b", "a and on () b"),
    ("a / ignoring() b", "a / b"), ("a / ignoring() group_left b", "a / ignoring () group_left () b"),
    ("-a", "-a"), ("- -1", "1"), ("1.50", "1.5"), ("1e100", "1e+100"), (".001", "0.001"),
    ("100000", "100000"), ("1000000", "1e+06"), ("1234567.5", "1.2345675e+06"), (".00001", "1e-05"), ("Inf", "+Inf"),
    ("nan", "NaN"), ("0x1F", "31"), ("017", "15"), ("10m", "10m"), ("1_000", "1000"),
    ("\"a\\n\\u00e9\\x41\\\"\"", "\"a\\né\\u{41}\\\"\"".replacing("\\u{41}", with: "A")), ("time()", "time()"),
    ("topk(3,x)", "topk(3, x)"), ("quantile by(a)(0.9,x)", "quantile by (a) (0.9, x)"),
    ("# a comment\nx # more\n+ # and more\ny", "x + y"), ("{\"a.b\",\"c d\"=\"e\"}", "{\"a.b\",\"c d\"=\"e\"}"),
    ("sum by (\"a.b\") (x)", "sum by (\"a.b\") (x)"), ("by{on=\"1\"}", "by{on=\"1\"}"), ("sum", "sum"),
    ("a:b:c", "a:b:c"),
    ("x[300]", "x[5m]"), ("x[1y2w]", "x[379d]"), ("a atan2 b", "a atan2 b"), ("start + end", "start + end"),
  ])
  func printing(_ text: String, _ printed: String) throws {
    let query = try Query(text)
    #expect(query.description == printed)
    #expect(try Query(printed).description == (printed == "+Inf" ? "+Inf" : printed))
  }

  /// The same as `printing`, where Prometheus 2 prints otherwise.
  @Test func printingInPrometheus2() throws {
    #expect(try Query("a / ignoring() group_left b", dialect: .prometheus2).description == "a / b")
    #expect(try Query("a / on() group_left b", dialect: .prometheus2).description == "a / on () group_left () b")
  }

  /// As Prometheus 2.42 answers to `format_query`.
  @Test func longQueriesTakeSeveralLines() throws {
    let text = Fixtures.text("long.queries") + "\n"
    for example in text.split(separator: "\n\n") {
      let parts = example.split(separator: "\n=>\n").map(String.init)
      #expect(parts.count == 2)
      let query = try Query(parts[0], dialect: .prometheus2)
      #expect(query.formatted == parts[1])
      #expect(try Query(parts[1], dialect: .prometheus2).description == query.description)
    }
  }

  /// Parentheses show how each is read.
  @Test(arguments: [
    ("1 + 2 * 3", "(1 + (2 * 3))"), ("1 - 2 - 3", "((1 - 2) - 3)"), ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
    ("-a ^ 2", "-((a ^ 2))"), ("-a * b", "(-(a) * b)"), ("a ^ -b * c", "((a ^ -(b)) * c)"),
    ("a or b and c", "(a or (b and c))"), ("a unless b and c", "((a unless b) and c)"),
    ("a > b + 1", "(a > (b + 1))"), ("a * b % c", "((a * b) % c)"), ("a > 1 and b", "((a > 1) and b)"),
    ("-x @ 5", "-(x @ 5.000)"), ("a == b != c", "((a == b) != c)"), ("a atan2 b * c", "((a atan2 b) * c)"),
  ])
  func precedence(_ text: String, _ grouped: String) throws {
    func shown(_ expression: Expression) -> String {
      switch expression {
      case .binary(let node): "(\(shown(node.left)) \(node.operation.rawValue) \(shown(node.right)))"
      case .unary(let node): "\(node.isMinus ? "-" : "+")(\(shown(node.expression)))"
      default: "\(expression)"
      }
    }
    #expect(shown(try Query(text).expression) == grouped)
  }

  @Test(arguments: [
    ("", 1, "the query is empty"), ("# nothing", 10, "the query is empty"), ("up{", 4, "unexpected end of input"),
    ("sum(", 5, "unexpected end of input"), ("up)", 3, "unexpected \")\""), ("up up", 4, "unexpected \"up\""),
    ("rate(up)", 6, "the call of rate needs a range vector, got a instant vector"),
    ("rte(up[5m])", 1, "unknown function \"rte\"; did you mean rate?"), ("nothing_like(up)", 1, "unknown function"),
    ("rate(up[5m], 1)", 1, "rate takes 1 argument, got 2"), ("round()", 1, "round takes at least 1 argument"),
    ("clamp(up, 1)", 1, "clamp takes 3 arguments, got 2"), ("up[5]x", 6, "unexpected \"x\""),
    ("up[5m:1x]", 7, "bad number or duration \"1x\""), ("1 > 2", 3, "a comparison between scalars must use bool"),
    ("1 and up", 3, "and is only allowed between instant vectors"), ("up + bool up", 6, "bool is only allowed"),
    ("up{a=~\"(\"}", 7, "the regular expression \"(\" cannot be used: missing )"),
    ("{a=~\".*\"}", 1, "one matcher that"),
    ("x{__name__=\"y\"}", 1, "the metric's name must not be set twice"), ("\"a\" + 1", 1, "not on a string"),
    ("(up)[5m]", 5, "a range is only allowed behind a selector"), ("up offset 5m[5m]", 13, "stand behind the range"),
    ("sum(up) offset 5m", 9, "offset is only allowed behind"),
    ("up offset 5m offset 5m", 14, "offset may be given once"),
    ("up @ 1 @ 2", 8, "@ may be given once"), ("up @ x", 6, "unexpected \"x\" in @"), ("up @ Inf", 6, "out of bounds"),
    ("up[0s]", 4, "a duration must be greater than 0"), ("up[5m:0s]", 7, "a duration must be greater than 0"),
    ("1[5m:]", 1, "a subquery is only allowed on an instant vector, not on a scalar"), ("\"abc", 1, "no closing quote"),
    ("\"a\\qb\"", 3, "unknown escape"), ("\"\\xff\"", 1, "not UTF-8"), ("up ! up", 4, "unexpected character \"!\""),
    ("a and on(x) group_left b", 13, "no grouping is allowed for and"), ("5m5", 1, "bad number or duration"),
    ("a / on(x) group_left(x) b", 11, "the label \"x\" must not be in on() and group_left() at once"),
    ("1 + on(x) up", 3, "vector matching is only allowed between instant vectors"),
    ("é", 1, "unexpected character \"é\""),
    ("topk(up)", 1, "topk takes 2 arguments, got 1"), ("topk(up, up)", 6, "needs a scalar, got a instant vector"),
    ("count_values(1, up)", 14, "needs a string"), ("sum(up,)", 8, "trailing commas"), ("-\"a\"", 2, "not on a string"),
    ("histogram_quantiles(up, \"q\", 0.5)", 1, "experimental"), ("info(up)", 1, "experimental"),
    ("limitk(1, up)", 1, "experimental"), ("up anchored", 4, "experimental"), ("a + fill(0) b", 5, "experimental"),
    ("up[1m+1m]", 6, "calculating with durations is experimental"), ("bool", 1, "unexpected \"bool\""),
    ("up{a.b=\"c\"}", 5, "unexpected character \".\""), ("up{a:b=\"c\"}", 5, "unexpected \":\" in the selector"),
  ])
  func errors(_ text: String, _ column: Int, _ message: String) throws {
    let error = try #require(throws: QuerySyntaxError.self) { try Query(text) }
    #expect(error.message.contains(message), "\(error.message)")
    #expect(error.column == column)
    #expect(error.line == 1)
  }

  @Test func errorsShowTheirPlaceInTheFile() throws {
    let origin = QueryOrigin(file: "rules.yml", line: 12, column: 11)
    let first = try #require(throws: QuerySyntaxError.self) { try Query("sum(foo(x))", origin: origin) }
    #expect(
      first.description == """
        rules.yml:12:15: unknown function "foo"
          sum(foo(x))
              ^
        """)
    let second = try #require(throws: QuerySyntaxError.self) { try Query("sum(x)\n  /\tsum(é, )", origin: origin) }
    #expect(
      second.description == """
        rules.yml:13:9: unexpected character "é"
            / sum(é, )
                  ^
        """)
  }

  @Test func longLinesAreCutAroundTheCaret() throws {
    let text =
      (0..<100).map { "metric_\($0)" }.joined(separator: " + ") + " + )" + String(repeating: " + x", count: 100)
    let error = try #require(throws: QuerySyntaxError.self) { try Query(text) }
    let lines = error.description.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 110 })
    let caret = try #require(lines[2].firstIndex(of: "^"))
    let column = lines[2].distance(from: lines[2].startIndex, to: caret)
    #expect(lines[1][lines[1].index(lines[1].startIndex, offsetBy: column)] == ")")
  }

  @Test func dialectsDifferInSyntax() {
    for text in ["10m", "1_000", "{\"a.b\"}", "x[300]", "x offset 0s", "sum by (\"a\") (x)", "mad_over_time(x[5m])"] {
      #expect(throws: Never.self) { try Query(text, dialect: .prometheus3) }
      #expect(throws: QuerySyntaxError.self) { try Query(text, dialect: .prometheus2) }
    }
  }

  @Test(arguments: [
    (0.1, "0.1"), (1e21, "1000000000000000000000"), (1.5e-7, "0.00000015"), (123456.789, "123456.789"), (-0.0, "-0"),
    (Double.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"), (100, "100"),
    (-1e16, "-10000000000000000"),
  ])
  func decimals(_ value: Double, _ text: String) {
    #expect(NumberSyntax.decimal(value) == text)
    #expect(Double(text) == value)
  }
}
