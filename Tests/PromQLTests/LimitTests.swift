import Testing

@testable import PromQL

@Suite(.timeLimit(.minutes(1))) struct LimitTests {
  private static let source: ArraySource = {
    var source = ArraySource()
    for node in 0..<20 {
      let samples = (0..<100).map { Sample(timestampMilliseconds: Int64($0) * 1000, value: Double($0)) }
      source.append(samples, to: ["__name__": "x_total", "node": "\(node)"])
    }
    return source
  }()

  private func evaluate(_ text: String, samples: Int = 1_000_000, seconds: Double = 30) throws -> QueryResult {
    var options = QueryOptions()
    options.limits.samples = samples
    options.limits.seconds = seconds
    return try Query(text).value(atMilliseconds: 99_000, in: Self.source, options: options)
  }

  @Test func samplesAreCounted() throws {
    #expect(throws: Never.self) { try evaluate("rate(x_total[100s])", samples: 3000) }
    #expect { try evaluate("rate(x_total[100s])", samples: 1000) } throws: {
      "\($0)".contains("more than 1000 samples")
    }
    // Neither a huge number of steps nor what they would hold is ever allocated.
    #expect { try evaluate("max_over_time(x_total[200y:1ms])") } throws: { "\($0)".contains("samples") }
    #expect { try evaluate("max_over_time(vector(1)[1000000h:1ms])") } throws: { "\($0)".contains("samples") }
    #expect {
      try Query("1").values(
        fromMilliseconds: 0, throughMilliseconds: .max, stepMilliseconds: 1, in: Self.source)
    } throws: { "\($0)".contains("samples") }
  }

  @Test func timeIsLimited() {
    #expect { try evaluate("sum(x_total)", seconds: -1) } throws: { "\($0)".contains("took longer than") }
  }

  @Test func valuesOfLabelsAreLimited() throws {
    let seed = "label_replace(vector(1), \"a\", \"\(String(repeating: "x", count: 1000))\", \"\", \"\")"
    func nested(_ count: Int, _ opening: String, _ closing: String) -> String {
      String(repeating: opening, count: count) + seed + String(repeating: closing, count: count)
    }
    for (opening, closing) in [
      ("label_join(", ", \"a\", \"\", \"a\", \"a\")"), ("label_replace(", ", \"a\", \"$1$1\", \"a\", \"(.*)\")"),
    ] {
      #expect(throws: Never.self) { try evaluate(nested(6, opening, closing)) }
      #expect { try evaluate(nested(7, opening, closing)) } throws: { "\($0)".contains("longer than 65536 bytes") }
    }
    let many = String(repeating: "$1", count: 100_000)
    #expect { try evaluate("label_replace(\(seed), \"a\", \"\(many)\", \"a\", \"(.*)\")") } throws: {
      "\($0)".contains("longer than 65536 bytes")
    }
  }

  @Test func memoryIsLimitedForOneAndForAll() throws {
    let memory = QueryMemory(limitBytes: 12 << 20, queryLimitBytes: 8 << 20)
    func evaluate(_ text: String) throws -> QueryReservation {
      var options = QueryOptions()
      options.reservation = QueryReservation(memory)
      _ = try Query(text).values(
        fromMilliseconds: 0, throughMilliseconds: 99_000, stepMilliseconds: 1000, in: Self.source, options: options)
      return options.reservation!
    }
    // Doubled to 61,440 bytes, for each of 20 series.
    let seed = "label_replace(x_total, \"a\", \"xxxxxxxxxxxxxxx\", \"\", \"\")"
    let long =
      String(repeating: "label_join(", count: 12) + seed + String(repeating: ", \"a\", \"\", \"a\", \"a\")", count: 12)
    let many = (0..<7).map { "label_replace(\(long), \"b\", \"\($0)\", \"\", \"\")" }.joined(separator: " or ")
    #expect { try evaluate(many) } throws: { "\($0)".contains("more than 8 MiB") }
    #expect(memory.usedBytes == 0, "what failed holds nothing")
    let other = QueryReservation(memory)
    try other.hold(8 << 20)
    let few = (0..<3).map { "label_replace(\(long), \"b\", \"\($0)\", \"\", \"\")" }.joined(separator: " or ")
    #expect { try evaluate(few) } throws: { ($0 as? EvaluationError)?.cause == .otherQueries }
    try withExtendedLifetime(evaluate("sum(rate(x_total[30s]))")) {
      #expect(memory.usedBytes == 9 << 20, "beside it an honest one has room")
    }
    try other.hold(0)
    // What is computed step by step is let go step by step.
    let chain = String(repeating: "abs(", count: 50) + long + String(repeating: ")", count: 50)
    #expect(throws: Never.self) { try evaluate(chain) }
    try withExtendedLifetime(evaluate(few)) { #expect(memory.usedBytes >= 3 * 20 * 60_000) }
    #expect(memory.usedBytes == 0)
  }

  @Test func depthIsLimited() {
    for (opening, inner, closing) in [
      ("(", "1", ")"), ("-", "1", ""), ("abs(", "x", ")"), ("", "x", " + x"), ("x ^ ", "x", ""),
    ] {
      func nested(_ depth: Int) -> String {
        String(repeating: opening, count: depth) + inner + String(repeating: closing, count: depth)
      }
      #expect(throws: Never.self) { try evaluate(nested(100).replacing("x", with: "x_total")) }
      #expect { try Query(nested(100_000 / max(1, opening.count + closing.count))) } throws: {
        ($0 as? QuerySyntaxError)?.message.contains("nests deeper") == true
      }
    }
  }

  @Test func longTextsAndExpressionsAreRefused() {
    #expect { try Query(String(repeating: " ", count: 1 << 20)) } throws: { "\($0)".contains("longer than") }
    #expect { try Query("x{a=~\"\(String(repeating: "a", count: 20_000))\"}") } throws: {
      "\($0)".contains("longer than")
    }
    #expect { try Query("x{a=~\"(x{500}){500}\"}") } throws: { "\($0)".contains("cannot be used") }
  }

  /// An expression that costs a backtracking matcher exponential time.
  @Test func expressionsTakeLinearTime() throws {
    var source = ArraySource()
    source.append([Sample(timestampMilliseconds: 0, value: 1)], to: ["a": String(repeating: "a", count: 5000) + "b"])
    let result = try Query("{a=~\"(a+)+c\"}").value(atMilliseconds: 0, in: source)
    guard case .vector(let found) = result.value else { return #expect(Bool(false)) }
    #expect(found.isEmpty)
  }

  @Test func timesFarAwayAreErrorsOrEmpty() throws {
    for time in [Int64.min, .max, -1, 0] {
      let result = try? Query("rate(x_total[292y]) offset 292y + x_total").value(atMilliseconds: time, in: Self.source)
      if case .vector(let found)? = result?.value { #expect(found.isEmpty) }
    }
  }
}
