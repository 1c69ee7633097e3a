import Testing

@testable import PromQL

@Suite struct LabelsTests {
  @Test func sortsAndForgetsEmptyValues() {
    let labels = Labels([.init("b", "2"), .init("__name__", "up"), .init("a", "1"), .init("c", ""), .init("b", "3")])
    #expect(labels.description == #"up{a="1", b="3"}"#)
    #expect(labels == ["a": "1", "__name__": "up", "b": "3"])
    #expect(labels["c"] == nil)
    #expect(labels["b"] == "3")
  }

  @Test func longTextsSurvive() {
    let long = String(repeating: "é", count: 300)
    let labels: Labels = ["a": "x", long: long, "zz": "y"]
    #expect(labels[long] == long)
    #expect(labels["zz"] == "y")
    #expect(labels.pairs.count == 3)
  }

  @Test func equalityIsThatOfBytes() {
    #expect(Labels([.init("a", "\u{E9}")]) != Labels([.init("a", "e\u{301}")]))
  }

  @Test func selectsBySet() {
    let labels: Labels = ["__name__": "up", "a": "1", "b": "2", "d": "4"]
    #expect(labels.keeping(LabelNames(["d", "a", "x"])) == ["a": "1", "d": "4"])
    #expect(labels.dropping(LabelNames(["b", "__name__", "A"])) == ["a": "1", "d": "4"])
    #expect(labels.keeping(LabelNames([])) == .empty)
    #expect(labels.withoutMetricName == ["a": "1", "b": "2", "d": "4"])
  }

  @Test func settingReplacesInsertsAndRemoves() {
    let labels: Labels = ["b": "2", "d": "4"]
    #expect(labels.setting("a", to: "1") == ["a": "1", "b": "2", "d": "4"])
    #expect(labels.setting("c", to: "3") == ["b": "2", "c": "3", "d": "4"])
    #expect(labels.setting("e", to: "5") == ["b": "2", "d": "4", "e": "5"])
    #expect(labels.setting("b", to: "") == ["d": "4"])
    #expect(labels.setting("d", to: "x") == ["b": "2", "d": "x"])
  }

  @Test func sortsByNameThenValue() {
    let sorted: [Labels] = [[:], ["a": "1"], ["a": "1", "b": "1"], ["a": "2"], ["b": "0"]]
    #expect(sorted.shuffled().sorted() == sorted)
  }

  @Test(
    arguments: [
      ("=", "x", ["x"], ["", "xx", "y"]), ("!=", "x", ["", "y"], ["x"]),
      ("=~", "a|b.*", ["a", "b", "bc"], ["", "ab"]),
      ("=~", ".*", ["", "a", "a\nb"], []), ("!~", ".+", [""], ["a"]), ("=~", "", [""], ["a"]),
    ] as [(String, String, [String], [String])])
  func matchers(_ sign: String, _ value: String, _ passing: [String], _ failing: [String]) throws {
    let matcher = try LabelMatcher("l", #require(.init(rawValue: sign)), value)
    for text in passing { #expect(matcher.matches(["l": text]), "\(matcher) on \(text)") }
    for text in failing { #expect(!matcher.matches(["l": text]), "\(matcher) on \(text)") }
  }

  @Test func dotAndNewline() throws {
    #expect(try !LabelMatcher("l", .matches, "a.b", dotMatchesNewline: false).matches(value: "a\nb"))
    #expect(try LabelMatcher("l", .matches, "a.b").matches(value: "a\nb"))
  }

  @Test func badExpressionsSayWhy() {
    #expect { try LabelMatcher("l", .matches, "a(b") } throws: { "\($0)".contains("missing )") }
    #expect(throws: RegexError.self) { try LabelMatcher("l", .matches, String(repeating: "a", count: 1 << 20)) }
    #expect(throws: RegexError.self) { try LabelMatcher("l", .matches, "((a{999}){999}){99}") }
  }

  @Test func literals() throws {
    #expect(try LabelMatcher("l", .matches, "a|b|").literals == ["a", "b", ""])
    #expect(try LabelMatcher("l", .matches, "a.c").literals == nil)
    #expect(try LabelMatcher("l", .equal, "a.c").literals == ["a.c"])
  }
}
