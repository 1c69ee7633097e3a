import PromQL
import Testing
import Web

@testable import API

@Suite(.timeLimit(.minutes(1))) struct QueryTests {
  private func filled() throws -> Fixture {
    let fixture = Fixture()
    for step in 0...100 {
      try fixture.append(
        [
          ["__name__": "up", "instance": "b"]: 1, ["__name__": "up", "instance": "a"]: 0,
          ["__name__": "requests_total", "instance": "a"]: Double(step) * 15,
        ], atSeconds: Double(8500 + step * 15))
    }
    return fixture
  }

  @Test func instantVector() async throws {
    let fixture = try filled()
    let answer = try await fixture.get("query", ["query": "up{instance=\"a\"}"])
    #expect(answer.status == 200)
    #expect(
      answer.text == #"""
        {"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"a"},"value":[10000,"0"]}]}}
        """#)
    #expect(answer.headers.contains(.init(name: "X-Content-Type-Options", value: "nosniff")))
  }

  @Test(arguments: [
    ("1/0", "10000", #"{"resultType":"scalar","result":[10000,"+Inf"]}"#),
    ("0/0", "10000", #"{"resultType":"scalar","result":[10000,"NaN"]}"#),
    ("\"a<b\"", "1.5", #"{"resultType":"string","result":[1.500,"a\u003cb"]}"#),
    (
      "absent(nothing)", "1970-01-01T00:00:02.025Z",
      #"{"resultType":"vector","result":[{"metric":{},"value":[2.025,"1"]}]}"#
    ),
    ("nothing", "9000", #"{"resultType":"vector","result":[]}"#),
    (
      "up{instance=\"a\"}[35s]", "9000",
      #"{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"a"},"values":[[8980,"0"],[8995,"0"]]}]}"#
    ),
  ])
  func otherValues(query: String, time: String, data: String) async throws {
    let fixture = try filled()
    #expect(try await fixture.get("query", ["query": query, "time": time]).data == data)
  }

  @Test func rangeAndOrder() async throws {
    let fixture = try filled()
    let range: KeyValuePairs = ["query": "up", "start": "9000", "end": "9030.5", "step": "15"]
    let answer = try await fixture.get("query_range", range)
    #expect(
      answer.data == #"""
        {"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"a"},"values":[[9000,"0"],[9015,"0"],[9030,"0"]]},{"metric":{"__name__":"up","instance":"b"},"values":[[9000,"1"],[9015,"1"],[9030,"1"]]}]}
        """#)
    let posted = try await fixture.post("query_range", "query=up&start=9000&end=9030.5&step=15s")
    #expect(posted.text == answer.text)
    let limited = try await fixture.post("query_range", "query=up&start=9000&end=9030.5&step=15s&limit=1")
    #expect(!limited.data.contains("\"b\""))
    #expect(limited.text.hasSuffix(#","warnings":["results truncated due to limit"]}"#))
  }

  @Test(
    arguments: [
      ("query", [:], 400, "bad_data", "query"),
      ("query", ["query": "up{"], 400, "bad_data", "parse error"),
      (
        "query", ["query": "up", "time": "yesterday"], 400, "bad_data",
        "cannot parse \\\"yesterday\\\" to a valid timestamp"
      ),
      ("query", ["query": "up", "time": "NaN"], 400, "bad_data", "timestamp"),
      ("query", ["query": "up", "time": "1e300"], 400, "bad_data", "timestamp"),
      ("query", ["query": "up", "timeout": "soon"], 400, "bad_data", "timeout"),
      ("query", ["query": "up", "limit": "-1"], 400, "bad_data", "limit"),
      ("query", ["query": "up", "lookback_delta": "0"], 400, "bad_data", "lookback"),
      ("query", ["query": "up + on() up"], 422, "execution", "many"),
      ("query_range", ["query": "up"], 400, "bad_data", "start"),
      ("query_range", ["query": "up", "start": "2", "end": "1", "step": "1"], 400, "bad_data", "before start"),
      ("query_range", ["query": "up", "start": "1", "end": "2"], 400, "bad_data", "step"),
      ("query_range", ["query": "up", "start": "1", "end": "2", "step": "0"], 400, "bad_data", "zero or negative"),
      ("query_range", ["query": "up", "start": "1", "end": "2", "step": "-5"], 400, "bad_data", "zero or negative"),
      ("query_range", ["query": "up", "start": "0", "end": "11001", "step": "1"], 400, "bad_data", "11,000 points"),
      ("query_range", ["query": "up[5m]", "start": "1", "end": "2", "step": "1"], 400, "bad_data", "range vector"),
      ("query_exemplars", ["query": "up", "start": "2", "end": "1"], 400, "bad_data", "before"),
      ("series", [:], 400, "bad_data", "no match[]"),
      ("series", ["match[]": "{}"], 400, "bad_data", "match[]"),
      ("series", ["match[]": "up[5m]"], 400, "bad_data", "match[]"),
      ("series", ["match[]": "up offset 5m"], 400, "bad_data", "match[]"),
      ("series", ["match[]": "up", "start": "5", "end": "4"], 400, "bad_data", "end"),
      ("label//values", [:], 400, "bad_data", "invalid label name"),
      ("label/job", [:], 404, "not_found", "values"),
      ("rules", ["type": "x"], 400, "bad_data", "not supported value"),
      ("rules", ["exclude_alerts": "x"], 400, "bad_data", "exclude_alerts"),
      ("rules", ["group_next_token": "x"], 400, "bad_data", "group_limit"),
      ("rules", ["group_limit": "1", "group_next_token": "x"], 400, "bad_data", "group_next_token"),
      ("targets", ["state": "x"], 400, "bad_data", "state"),
      ("metadata", ["limit": "x"], 400, "bad_data", "limit"),
      ("admin/tsdb/delete_series", [:], 404, "not_found", "admin"),
      ("", [:], 404, "not_found", "/api/v1/"),
    ] as [(String, [String: String], Int, String, String)])
  func wrongParameters(
    path: String, parameters: [String: String], status: Int, errorType: String, part: String
  ) async throws {
    let fixture = try filled()
    let body = parameters.map { "\($0.key)=\(Self.encoded($0.value))" }.joined(separator: "&")
    let answer = try await fixture.post(path, body)
    #expect(answer.status == status, "\(answer.text)")
    #expect(
      answer.text.hasPrefix("{\"status\":\"error\",\"errorType\":\"\(errorType)\",\"error\":\""), "\(answer.text)")
    #expect(answer.text.contains(part), "\(answer.text)")
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func elevenThousandStepsAreServed() async throws {
    let fixture = try filled()
    let range: KeyValuePairs = ["query": "vector(1)", "start": "0", "end": "11000", "step": "1"]
    #expect(try await fixture.get("query_range", range).status == 200)
  }

  @Test func otherBodiesAreRefused() async throws {
    let fixture = try filled()
    let answer = try await fixture.post("query", "{\"query\":\"up\"}", type: "application/json")
    #expect(answer.status == 415)
    #expect(answer.errorType == "bad_data")
  }

  @Test func limitsEndQueries() async throws {
    var fixture = try filled()
    fixture.api.limits.samples = 10
    let range: KeyValuePairs = ["query": "up", "start": "9000", "end": "9900", "step": "15"]
    let costly = try await fixture.get("query_range", range)
    #expect(costly.status == 422)
    #expect(costly.text.contains("more than 10 samples"))
    fixture.api.limits.samples = 1_000_000
    fixture.api.limits.answerBytes = 500
    let long = try await fixture.get("query_range", range)
    #expect(long.status == 422)
    #expect(long.text.contains("longer than 500 bytes"))
    #expect(try await fixture.get("labels").status == 200)
  }

  @Test func timeoutsAreToldAsSuch() async throws {
    let fixture = try filled()
    let slow = "max_over_time(vector(1)[20m:1ms])"
    let answer = try await fixture.get("query", ["query": "\(slow) + \(slow)", "timeout": "1ms"])
    #expect(answer.status == 503)
    #expect(answer.errorType == "timeout")
  }

  @Test func remarksStandBesideTheValue() async throws {
    let fixture = try filled()
    let answer = try await fixture.get("query", ["query": "quantile(2, up)"])
    #expect(answer.status == 200)
    #expect(answer.text.contains(#""warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:"#))
  }

  @Test func statisticsOnDemand() async throws {
    let fixture = try filled()
    let answer = try await fixture.get("query", ["query": "up", "stats": "all"])
    #expect(answer.text.contains(#""stats":{"timings":{"evalTotalTime":"#))
    #expect(answer.text.contains(#""totalQueryableSamples":"#))
    #expect(try await !fixture.get("query", ["query": "up"]).text.contains("stats"))
  }

  @Test func queriesInOneStyle() async throws {
    let answer = try await Fixture().get("format_query", ["query": "sum  by(a) (up{b='c'}  ) "])
    #expect(answer.data == #""sum by (a) (up{b=\"c\"})""#)
    let name = String(repeating: "a", count: 99)
    let long = try await Fixture().get("format_query", ["query": "\(name)  <1000000"])
    #expect(long.data == #""  \#(name)\n\u003c\n  1e+06""#)
  }

  // MARK: History

  @Test(arguments: [
    ("up", "9500", false), ("up", "8000", true), ("up offset 1h", "9500", true), ("rate(up[5m])", "9400", false),
    ("rate(up[1h])", "9500", true), ("up @ 8000", "9500", true), ("up @ 9400", "9500", false), ("1", "100", false),
    ("other", "100", false), ("{instance=\"a\"}", "8000", true), ("{__name__=~\"up|x\"}", "8000", true),
  ])
  func historyThatIsNotKeptIsToldOf(query: String, time: String, isWarned: Bool) async throws {
    var fixture = try filled()
    fixture.api.judging.heldSinceMilliseconds = { $0 == "other" ? nil : 9_000_000 }
    let answer = try await fixture.get("query", ["query": query, "time": time])
    #expect(answer.status == 200)
    #expect(answer.text.contains("\"warnings\":[\"history of ") == isWarned, "\(answer.text)")
    if isWarned { #expect(answer.text.contains("begins at 1970-01-01T02:30:00Z")) }
  }

  /// What is read at the end is not read from the start on.
  @Test(arguments: [
    ("up", true), ("up @ start()", true), ("up @ end()", false), ("max_over_time(up[2h] @ end())", true),
  ])
  func historyAtTheEndIsEnoughForIt(query: String, isWarned: Bool) async throws {
    var fixture = try filled()
    fixture.api.judging.heldSinceMilliseconds = { _ in 9_000_000 }
    let answer = try await fixture.get(
      "query_range", ["query": query, "start": "8000", "end": "9500", "step": "60"])
    #expect(answer.status == 200)
    #expect(answer.text.contains("\"warnings\":[\"history of ") == isWarned, "\(answer.text)")
  }

  @Test(arguments: [
    ("-1.5e3", #"{"type":"numberLiteral","val":"-1500"}"#),
    (
      "-time()",
      #"{"type":"unaryExpr","op":"-","expr":{"type":"call","func":{"name":"time","argTypes":[],"variadic":0,"returnType":"scalar"},"args":[]}}"#
    ),
    ("('x<')", #"{"type":"parenExpr","expr":{"type":"stringLiteral","val":"x\u003c"}}"#),
    (
      #"up{a!="b"} offset 5m"#,
      #"{"type":"vectorSelector","name":"up","matchers":[{"name":"a","value":"b","type":"!="},{"name":"__name__","value":"up","type":"="}],"offset":300000,"timestamp":null,"startOrEnd":null}"#
    ),
    (
      "rate(x[1m] @ 1.5)",
      #"{"type":"call","func":{"name":"rate","argTypes":["matrix"],"variadic":0,"returnType":"vector"},"args":[{"type":"matrixSelector","name":"x","matchers":[{"name":"__name__","value":"x","type":"="}],"offset":0,"timestamp":1500,"startOrEnd":null,"range":60000}]}"#
    ),
    (
      "topk(1, x) by (a)",
      #"{"type":"aggregation","op":"topk","expr":{"type":"vectorSelector","name":"x","matchers":[{"name":"__name__","value":"x","type":"="}],"offset":0,"timestamp":null,"startOrEnd":null},"param":{"type":"numberLiteral","val":"1"},"grouping":["a"],"without":false}"#
    ),
    (
      "1 == bool 2",
      #"{"type":"binaryExpr","op":"==","lhs":{"type":"numberLiteral","val":"1"},"rhs":{"type":"numberLiteral","val":"2"},"matching":null,"bool":true}"#
    ),
    (
      "max_over_time(vector(1)[1h:] @ end())",
      #"{"type":"call","func":{"name":"max_over_time","argTypes":["matrix"],"variadic":0,"returnType":"vector"},"args":[{"type":"subquery","expr":{"type":"call","func":{"name":"vector","argTypes":["scalar"],"variadic":0,"returnType":"vector"},"args":[{"type":"numberLiteral","val":"1"}]},"range":3600000,"step":0,"offset":0,"timestamp":null,"startOrEnd":"end"}]}"#
    ),
  ])
  func aQueryAsATree(text: String, tree: String) async throws {
    #expect(try await Fixture().get("parse_query", ["query": text]).data == tree)
  }

  @Test(arguments: [
    ("a * on (x) group_left (y) b", #""matching":{"card":"many-to-one","labels":["x"],"on":true,"include":["y"]}"#),
    ("a and b", #""matching":{"card":"many-to-many","labels":[],"on":false,"include":[]}"#),
    ("round(a)", #""variadic":1"#), ("label_join(a, 'b', ',')", #""variadic":-1"#),
  ])
  func aTreeTellsOfMatchingAndArguments(text: String, part: String) async throws {
    #expect(try await Fixture().get("parse_query", ["query": text]).data.contains(part))
  }

  @Test func aTreeOfNonsenseIsAnError() async throws {
    #expect(try await Fixture().get("parse_query", ["query": "sum("]).errorType == "bad_data")
  }
}
