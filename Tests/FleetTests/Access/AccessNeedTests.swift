import Redis
import Testing

@testable import Fleet

@Suite struct AccessNeedTests {
  private func sample(_ glob: String) -> String {
    String(decoding: AccessNeed.sampleKey(of: Array(glob.utf8)), as: UTF8.self)
  }

  @Test(arguments: [
    ("orders", "orders"), ("lock:*", "lock:redline-check"), ("h?llo", "hxllo"), ("h[ae]llo", "hallo"),
    ("[b-d]", "b"), ("[d-b]", "b"), ("a\\*b", "a*b"), ("a\\", "a\\"), ("[\\]]", "]"), ("[^!]", "\""),
    ("[ab", "a"), ("a]b", "a]b"), ("circuit:*:failures", "circuit:redline-check:failures"),
  ])
  func aSampleIsAsTheGlobSays(glob: String, expected: String) {
    #expect(sample(glob) == expected)
  }

  /// A sample that the glob did not match would ask for a right on another key than the rule gives.
  @Test(arguments: [
    "*", "a*", "*a*b", "?*", "[a-z]*[0-9]", "[^a-z]x", "[^ -~]", "[^\\]]", "\\[a", "[a\\-z]", "[]a]b*", "user:\\",
  ])
  func everySampleMatches(glob: String) {
    let key = AccessNeed.sampleKey(of: Array(glob.utf8))
    let isImpossible = glob.hasPrefix("[]")
    #expect(Glob(glob).matches(key[...]) == !isImpossible, "\(String(decoding: key, as: UTF8.self))")
  }

  @Test func aKeyOfEachPatternIsSent() {
    let need = AccessNeed("keys", keys: [Array("a:*".utf8), Array("b".utf8)], lost: ["x"]) {
      [KeyCommand.type($0), KeyCommand.memoryUsage($0)]
    }
    #expect(
      need.commands.map { command in command.arguments.map { String(decoding: $0, as: UTF8.self) } } == [
        ["TYPE", "a:redline-check"], ["MEMORY", "USAGE", "a:redline-check"], ["TYPE", "b"],
        ["MEMORY", "USAGE", "b"],
      ])
    #expect(need.keys == [Array("a:*".utf8), Array("b".utf8)])
  }

  @Test(arguments: [
    (["INFO", "ALL"], nil, "info"), (["CONFIG", "GET", "*"], nil, "config|get"),
    (["config", "get", "*"], nil, "config|get"), (["s3cret", "GET", "*"], "S3cret", "config|get"),
    (["s3cret", "GET", "*"], nil, "s3cret"), (["XINFO", "STREAM", "k", "FULL"], nil, "xinfo|stream"),
    (["SENTINEL", "CKQUORUM", "m"], nil, "sentinel|ckquorum"), (["GET", "config"], nil, "get"),
    (["SLOWLOG"], nil, "slowlog"), ([], nil, ""),
  ])
  func aCommandIsCalledAsInAnACL(words: [String], configCommand: String?, expected: String) {
    #expect(Command(words).aclName(configCommand: configCommand) == expected)
  }
}
