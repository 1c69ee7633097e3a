import PromQL
import Testing

@testable import API

@Suite struct SeriesTests {
  private func filled() throws -> Fixture {
    let fixture = Fixture()
    try fixture.append([["__name__": "old", "a.b": "1"]: 1], atSeconds: 5000)
    try fixture.append(
      [["__name__": "up", "job": "x\"\\\n<é\u{2028}\u{7F}\u{1}"]: 1, ["__name__": "up", "job": "y"]: 1],
      atSeconds: 9990)
    return fixture
  }

  @Test func labelSetsOfSeries() async throws {
    let fixture = try filled()
    let all = try await fixture.post("series", "match%5B%5D=old&match%5B%5D=up%7Bjob%3D%22y%22%7D")
    #expect(all.data == #"[{"__name__":"old","a.b":"1"},{"__name__":"up","job":"y"}]"#)
    let late = try await fixture.get("series", ["match[]": "{__name__=~\".+\"}", "start": "9000"])
    #expect(!late.data.contains("old"))
    let early = try await fixture.get("series", ["match[]": "{__name__=~\".+\"}", "end": "9000"])
    #expect(early.data == #"[{"__name__":"old","a.b":"1"}]"#)
    #expect(try await fixture.get("series", ["match[]": "old", "start": "1", "end": "4999.9"]).data == "[]")
    let limited = try await fixture.get("series", ["match[]": "{__name__=~\".+\"}", "limit": "1"])
    #expect(limited.text.hasSuffix(#"[{"__name__":"old","a.b":"1"}],"warnings":["results truncated due to limit"]}"#))
    #expect(try await fixture.get("series", ["match[]": "nothing"]).data == "[]")
  }

  @Test func oddValuesAreEscaped() async throws {
    let values = try await filled().get("label/job/values").data
    #expect(values == #"["x\"\\\n\u003cé\u2028"# + "\u{7F}" + #"\u0001","y"]"#)
  }

  @Test func namesAndValues() async throws {
    let fixture = try filled()
    #expect(try await fixture.get("labels").data == #"["__name__","a.b","job"]"#)
    #expect(try await fixture.get("labels", ["match[]": "up"]).data == #"["__name__","job"]"#)
    #expect(try await fixture.get("labels", ["start": "9000"]).data == #"["__name__","job"]"#)
    #expect(try await fixture.get("labels", ["end": "9000"]).data == #"["__name__","a.b"]"#)
    #expect(try await fixture.get("label/__name__/values", ["end": "5000"]).data == #"["old"]"#)
    #expect(try await fixture.get("label/__name__/values").data == #"["old","up"]"#)
    let limited = try await fixture.get("label/__name__/values", ["limit": "1"]).text
    #expect(limited.contains(##"["old"],"warnings""##))
    #expect(try await fixture.get("label/a.b/values").data == #"["1"]"#)
    #expect(try await fixture.get("label/U__a_2e_b/values").data == #"["1"]"#)
    #expect(try await fixture.get("label/none/values").data == "[]")
  }

  @Test func theOlderDialectKnowsPlainNamesOnly() async throws {
    var fixture = try filled()
    fixture.api.judging.settings = { .init(dialect: .prometheus2, ruleIntervalMilliseconds: 60_000) }
    #expect(try await fixture.get("label/a.b/values").status == 400)
    #expect(try await fixture.get("label/job/values").status == 200)
  }

  @Test(arguments: [
    ("plain", "plain"), ("U__plain", "plain"), ("U__a__b", "a_b"), ("U__a_2E_b", "a.b"), ("U___1F600_", "\u{1F600}"),
    ("U__a_", "U__a_"), ("U__a_zz_", "U__a_zz_"), ("U__a_D800_", "U__a_D800_"), ("U__a_1234567_", "U__a_1234567_"),
    ("U__", ""),
  ])
  func escapedNames(text: String, name: String) {
    #expect(EscapedName.decoded(text) == name)
  }
}
