import TestSupport
import Testing

@testable import PromQL

/// Queries put together at random: none may crash, and what is understood prints to the same query.
@Suite(.timeLimit(.minutes(1))) struct FuzzTests {
  private static let words = [
    "up", "x_total", "m", "sum", "avg", "topk", "quantile", "count_values", "by", "without", "on", "ignoring",
    "group_left",
    "group_right", "bool", "offset", "start", "end", "and", "or", "unless", "atan2", "inf", "NaN", "rate", "increase",
    "absent",
    "histogram_quantile", "label_replace", "label_join", "time", "round", "clamp", "predict_linear", "max_over_time",
    "scalar", "vector", "sort", "hour", "(", ")", "{", "}", "[", "]", ",", ":", "@", "=", "==", "!=", "=~", "!~", "<",
    "<=",
    ">", ">=", "+", "-", "*", "/", "%", "^", "1", "0", "0.5", "1e300", "0x1f", "5m", "1h30m", "1ms", "-1", "9y",
    "\"a\"",
    "'.*'", "`$1`", "\"\\", "#", "\n", " ", "é", "\u{0}", "_", "le", "a", "step", "5m:1m",
  ]

  /// Most of these can be evaluated.
  private static let grammar: [String: [[String]]] = [
    "v": [
      ["s"], ["s"], ["s"], ["(", "v", ")"], ["-", "v"], ["(", "v", " + ", "n", ")"], ["(", "n", " > ", "v", ")"],
      ["(", "v", " / ", "v", ")"], ["(", "v", " or ", "v", ")"], ["(", "v", " and on (a) ", "v", ")"],
      ["(", "v", " * on (a) group_left (b) ", "v", ")"], ["(", "v", " == bool ", "v", ")"],
      ["sum by (a) (", "v", ")"], ["topk(", "n", ", ", "v", ")"], ["quantile without (a) (", "n", ", ", "v", ")"],
      ["count_values(\"c\", ", "v", ")"], ["rate(", "r", ")"], ["avg_over_time(", "r", ")"], ["deriv(", "r", ")"],
      ["absent_over_time(", "r", ")"], ["quantile_over_time(", "n", ", ", "r", ")"],
      ["holt_winters(", "r", ", 0.5, 0.5)"],
      ["histogram_quantile(", "n", ", ", "v", ")"], ["label_replace(", "v", ", \"b\", \"$1\", \"a\", \"(.*)\")"],
      ["sort_desc(", "v", ")"], ["hour(", "v", ")"], ["round(", "v", ", ", "n", ")"], ["vector(", "n", ")"],
      ["timestamp(", "v", ")"], ["clamp(", "v", ", ", "n", ", ", "n", ")"], ["absent(", "v", ")"],
      ["stddev(", "v", ")"],
    ],
    "r": [
      ["p", "[3m]"], ["p", "[3m] offset 1m"], ["p", "[1h] @ 120"], ["(", "v", ")[4m:1m]"],
      ["(", "v", ")[5m:37s] offset -1m"],
    ],
    "p": [["x_total"], ["m"], ["h_bucket"]],
    "s": [
      ["x_total"], ["m"], ["m{a=\"1\"}"], ["{a=~\".+\"}"], ["m offset 1m"], ["x_total @ 60"], ["h_bucket"], ["none"],
    ],
    "n": [
      ["1"], ["0.5"], ["-3"], ["NaN"], ["Inf"], ["1e300"], ["scalar(", "v", ")"], ["time()"],
      ["(", "n", " % ", "n", ")"],
    ],
  ]

  private static func generated(_ symbol: String, depth: Int, _ random: inout FixedRandom) -> String {
    guard let choices = grammar[symbol] else { return symbol }
    let choice = depth > 5 ? choices[0] : choices.randomElement(using: &random)!
    return choice.map { generated($0, depth: depth + 1, &random) }.joined()
  }

  private static let source: ArraySource = {
    var source = ArraySource()
    for (name, key) in [("x_total", "a"), ("m", "a"), ("h_bucket", "le")] {
      for value in ["1", "2", "+Inf"] {
        let samples = (0..<8).map { index in
          let value = index == 5 ? Double.stalenessMarker : index == 3 ? .nan : Double((index * 7) % 5)
          return Sample(timestampMilliseconds: Int64(index) * 60_000, value: value)
        }
        source.append(samples, to: ["__name__": name, key: value])
      }
    }
    return source
  }()

  private static func check(_ text: String, _ dialect: Dialect) {
    guard let query = try? Query(text, dialect: dialect) else { return }
    let printed = query.description
    let again = try? Query(printed, dialect: .prometheus3)
    #expect(again?.description == printed, "\(quoted(text))")
    var options = QueryOptions()
    options.limits.samples = 200_000
    _ = try? query.value(atMilliseconds: 300_000, in: source, options: options)
    _ = try? query.values(
      fromMilliseconds: -60_000, throughMilliseconds: 480_000, stepMilliseconds: 45_000, in: source, options: options)
  }

  @Test func words() {
    var random = FixedRandom(state: 4)
    for round in 0..<3000 {
      let count = Int.random(in: 1...12, using: &random)
      let text = (0..<count).map { _ in Self.words.randomElement(using: &random)! }
        .joined(separator: Bool.random(using: &random) ? " " : "")
      Self.check(text, Dialect.allCases[round % 2])
    }
  }

  @Test func sentences() {
    var random = FixedRandom(state: 8)
    for round in 0..<600 {
      let text = Self.generated("v", depth: 0, &random)
      #expect(throws: Never.self, "\(text)") { try Query(text, dialect: Dialect.allCases[round % 2]) }
      Self.check(text, Dialect.allCases[round % 2])
    }
  }

  @Test func mutatedSentences() {
    var random = FixedRandom(state: 15)
    for round in 0..<1200 {
      var bytes = Array(Self.generated("v", depth: 0, &random).utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where bytes.count > 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: Array(Self.words.randomElement(using: &random)!.utf8), at: place)
        }
      }
      Self.check(String(decoding: bytes, as: UTF8.self), Dialect.allCases[round % 2])
    }
  }

  @Test func scripts() {
    var random = FixedRandom(state: 16)
    let text = Array(Fixtures.text("over_time.test").utf8)
    for _ in 0..<100 {
      let start = Int.random(in: 0..<text.count, using: &random)
      var bytes = Array(text[start...].prefix(600))
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...127, using: &random)
      if let script = try? Script(String(decoding: bytes, as: UTF8.self), file: "fuzz") {
        _ = ScriptRunner().run(script)
      }
    }
  }

  /// An instant query gives what a range query gives at that step.
  @Test func rangesAgreeWithInstants() throws {
    var random = FixedRandom(state: 23)
    var comparedCount = 0
    for round in 0..<250 {
      let query = try Query(Self.generated("v", depth: 2, &random), dialect: Dialect.allCases[round % 2])
      let steps = (0..<6).map { Int64($0) * 60_000 + 30_000 }
      guard
        let range = try? query.values(
          fromMilliseconds: steps.first!, throughMilliseconds: steps.last!, stepMilliseconds: 60_000, in: Self.source),
        case .matrix(let series) = range.value
      else { continue }
      for time in steps {
        guard case .vector(let instant)? = try? query.value(atMilliseconds: time, in: Self.source).value else {
          continue
        }
        let expected = Dictionary(instant.map { ($0.labels, $0.value) }, uniquingKeysWith: { first, _ in first })
        var given: [Labels: Double] = [:]
        for row in series {
          for sample in row.samples where sample.timestampMilliseconds == time { given[row.labels] = sample.value }
        }
        #expect(Set(given.keys) == Set(expected.keys), "\(query) at \(time)")
        for (labels, value) in expected {
          let other = given[labels] ?? 0
          #expect(value.isAlmostEqual(to: other, relativeTolerance: 1e-9), "\(query) at \(time)")
          comparedCount += 1
        }
      }
    }
    #expect(comparedCount > 500)
  }
}
