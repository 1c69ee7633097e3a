import Testing

@testable import PromQL

@Suite struct HistoryPolicyTests {
  @Test func theLongestSpanHolds() throws {
    var policy = HistoryPolicy(defaultMilliseconds: 100)
    policy.keep("a", forMilliseconds: 500)
    policy.keep("a", forMilliseconds: 300)
    policy.keep("b", forMilliseconds: 50)
    policy.keep(
      selectedBy: [try LabelMatcher("__name__", .equal, "c"), try LabelMatcher("x", .matches, ".*")],
      forMilliseconds: 700)
    policy.keep(selectedBy: [try LabelMatcher("__name__", .matches, "d|e")], forMilliseconds: 800)
    policy.keep(selectedBy: [try LabelMatcher("__name__", .matches, "redis_.+")], forMilliseconds: 900)
    policy.keep(selectedBy: [try LabelMatcher("__name__", .matches, "redis_.+")], forMilliseconds: 200)
    let expected: [(String, Int64)] = [
      ("a", 500), ("b", 100), ("c", 700), ("d", 800), ("e", 800), ("redis_up", 900), ("redis_", 100), ("", 100),
    ]
    for (name, milliseconds) in expected { #expect(policy.milliseconds(for: name) == milliseconds, "\(name)") }
    #expect(policy.longestMilliseconds == 900)
    // A selector without a name may find anything.
    policy.keep(selectedBy: [try LabelMatcher("job", .equal, "redis")], forMilliseconds: 600)
    #expect(policy.milliseconds(for: "a") == 600)
    #expect(policy.milliseconds(for: "c") == 700)
  }
}
