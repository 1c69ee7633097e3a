import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct LuaPatternTests {
  /// Pattern, key, and the joined captures of `string.find` in Lua 5.1, or nil for no match. The live tests ask a
  /// redis-server's Lua the same.
  static let cases: [(pattern: String, key: String, found: String?)] = [
    ("^(.*)_[^_]+$", "key_group_1", "key_group"), ("^([^:]+):", "user:1", "user"), ("(%a+)(%d+)", "ab12", "ab12"),
    ("x", "axb", ""), ("x", "ab", nil), ("^a", "ba", nil), ("a$", "ba", ""), ("a$", "ab", nil), ("a$b", "a$b", ""),
    ("(a-)b", "aaab", "aaa"), ("^(a-)", "aaa", ""), ("(a*)", "aaa", "aaa"), ("(a+)", "baa", "aa"), ("(a?)b", "b", ""),
    ("(a?)b", "aab", "a"), ("()b", "ab", "2"), ("(%b())", "x(a(b)c)d", "(a(b)c)"), ("%b()", "((a)", ""),
    ("%f[%w](%w+)", "  key1", "key1"), ("(%w+)%f[%W]", "key1:", "key1"), ("(%w+)%f[%z]", "key1", "key1"),
    ("(a)%1", "aba", nil), ("(a)%1", "baa", "a"), ("((a)(b))", "ab", "abab"), ("[%a_]+", "12", nil),
    ("([%d%-]+)", "a-1-2", "-1-2"), ("([^%d]+)", "12ab", "ab"), ("([]x]+)", "a]x]", "]x]"), ("([^]]+)", "]ab", "ab"),
    ("([a-c]+)", "xabcd", "abc"), ("([a-]+)", "x-a", "-a"), ("(%x+)$", "zz:ff09", "ff09"), ("(%u+)", "abCD", "CD"),
    ("(%l+)", "ABcd", "cd"), ("(%p+)", "a:!b", ":!"), ("(%s)", "a b", " "), ("(%S+)", " ab ", "ab"), ("%%", "5%", ""),
    ("%.", "a.b", ""), ("(.)", "", nil), ("", "", ""), ("(.-):(.-):", "a:b:c", "ab"), ("^(%d*)$", "", ""),
    ("[%]]", "]", ""), ("([%w]+)", "é1", "1"), ("%g", "g", ""), ("(%A+)", "ab12", "12"), ("[a%-z]", "-", ""),
    ("[%a-z]", "-", ""), ("^", "abc", ""), ("$", "abc", ""), ("(^a)", "^a", "^a"), ("a**", "a*", ""),
  ]

  @Test(arguments: cases) func findsAsLuaDoes(pattern: String, key: String, found: String?) throws {
    let outcome = try LuaPattern(pattern).find(in: Array(key.utf8)[...])
    #expect(outcome == found.map { .found(Array($0.utf8)) } ?? .none)
  }

  static let mistakes: [(pattern: String, position: Int)] = [
    ("(a", 1), ("a)", 2), ("[a", 1), ("a%", 2), ("%b(", 1), ("%fa", 1), ("%1", 1), ("(%1)", 2), ("[%", 1), ("[]", 1),
    ("[^]", 1), ("x(y(z)", 2),
  ]

  @Test(arguments: mistakes) func namesTheMistake(pattern: String, position: Int) {
    #expect { try LuaPattern(pattern) } throws: { error in
      let error = error as? LuaPatternError
      return error?.position == position && error?.pattern == pattern
    }
  }

  @Test func boundsLengthAndCaptures() {
    #expect(throws: LuaPatternError.self) { try LuaPattern(String(repeating: "a", count: 513)) }
    #expect(throws: LuaPatternError.self) { try LuaPattern(String(repeating: "()", count: 33)) }
  }

  @Test func givesUpOnAPatternThatExplodes() throws {
    let key = [UInt8](repeating: UInt8(ascii: "a"), count: 400)
    let pattern = try LuaPattern(String(repeating: "a*", count: 30) + "b")
    #expect(pattern.find(in: key[...]) == .tooHard)
  }

  @Test func ordinaryPatternsFitTheStepLimit() throws {
    let key = Array((String(repeating: "segment:", count: 128) + "end").utf8)
    #expect(try LuaPattern("^(.*):[^:]*$").find(in: key[...]) == .found(Array(key.dropLast(4))))
  }

  /// Whatever the bytes: either a named mistake or a bounded answer.
  @Test func anyTextIsAnsweredInBoundedTime() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<5_000 {
      let text = String(decoding: random.bytes(of: "()[]%^$*+-?.abf1wW", count: 14), as: UTF8.self)
      let key = random.bytes(of: "ab1()[]%", count: 24)
      guard let pattern = try? LuaPattern(text) else { continue }
      if case .found(let captures) = pattern.find(in: key[...]) {
        #expect(captures.count <= key.count * LuaPattern.captureLimit + 64)
      }
    }
  }
}
