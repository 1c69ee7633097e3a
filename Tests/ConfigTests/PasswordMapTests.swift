import Glibc
import TestSupport
import Testing

@testable import Config

@Suite struct PasswordMapTests {
  @Test func passwordIsFoundByAddress() throws {
    let map = try PasswordMap(file: "\(Fixtures.folder)/passwords.json")
    #expect(map.count == 5)
    #expect(map.password(for: "redis://localhost:6379")?.reveal() == "plain")
    #expect(map.password(for: "redis://:ignored@localhost:6379")?.reveal() == "plain")
    #expect(map.password(for: "redis://localhost:6379", user: "exporter")?.reveal() == "of the user \u{1F511} \"/\n")
    #expect(map.password(for: "redis://exporter:x@localhost:6379")?.reveal() == "of the user \u{1F511} \"/\n")
    #expect(map.password(for: "redis://other@localhost:6379", user: "exporter") != nil)
    #expect(map.password(for: "redis://localhost:6379", user: "a b@c")?.reveal() == "escaped")
    #expect(map.password(for: "rediss://[::1]:6380/2")?.isEmpty == true)
    #expect(map.password(for: "unix:///run/redis.sock")?.reveal() == "socket")
    #expect(map.password(for: "redis://localhost:6380") == nil)
    #expect(map.password(for: "localhost:6379") == nil)
  }

  static let bad: [(json: String, message: String)] = [
    ("", ":1:1: a JSON object is expected here; start with {"),
    ("[]", ":1:1: a JSON object is expected here; start with {"),
    ("{\n  \"a\": \"b\",\n}", ":3:1: a name in double quotes is expected here"),
    ("{\"a\" \"b\"}", ":1:6: a colon is expected here"),
    ("{\"a\": 5}", ":1:7: a value in double quotes is expected here"),
    ("{\"a\": {\"b\": \"c\"}}", ":1:7: a value in double quotes is expected here"),
    ("{\"a\": \"b\"", ":1:10: a comma or } is expected here"),
    ("{\"a\": \"b\"} x", ":1:12: nothing may follow the object"),
    ("{\"é\": \"b\", \n\"é\": \"c\"}", ":2:1: the same name was given before"),
    ("{\"é\": \"hunter2\n\"}", ":1:15: a control character must be written as an escape"),
    ("{\"a\": \"hunter2", ":1:7: the text that starts here has no closing quote"),
    ("{\"a\": \"\\x\"}", ":1:8: this escape is not known to JSON"),
    ("{\"a\": \"\\u12g4\"}", ":1:8: four hexadecimal digits are expected after \\u"),
    ("{\"a\": \"\\ud800\"}", ":1:8: half of a surrogate pair is missing"),
    ("{\"a\": \"\\ud800\\u0041\"}", ":1:8: half of a surrogate pair is missing"),
    ("{\"a\": \"\\udc00\"}", ":1:8: half of a surrogate pair is missing"),
    ("{\"a\": \"\\", ":1:8: the file ends within an escape"),
  ]

  @Test(arguments: bad)
  func badJSONIsRefusedWithItsPlace(json: String, message: String) throws {
    let error = try #require(throws: ConfigError.self) { try PasswordMap.passwords(Array(json.utf8), file: "f") }
    #expect(error.description == "f" + message)
  }

  @Test func brokenUTF8IsRefused() throws {
    let json = Array("{\"a\": \"".utf8) + [0xFF] + Array("\"}".utf8)
    let error = try #require(throws: ConfigError.self) { try PasswordMap.passwords(json, file: "f") }
    #expect(error.description == "f:1:8: the text is not UTF-8")
  }

  @Test func badFileKeepsTheOldMap() throws {
    let file = "/tmp/redline-passwords-\(getpid()).json"
    defer { unsafe unlink(file) }
    try write("{\"redis://a:1\": \"one\"}", to: file)
    var map = try PasswordMap(file: file)
    try write("{\"redis://a:1\": ", to: file)
    let error = try #require(throws: ConfigError.self) { try map.reload() }
    #expect(error.description == "\(file):1:17: a value in double quotes is expected here")
    #expect(map.password(for: "redis://a:1")?.reveal() == "one")
    try write("{\"redis://a:1\": \"two\"}", to: file)
    try map.reload()
    #expect(map.password(for: "redis://a:1")?.reveal() == "two")
    #expect(!"\(map)".contains("two"))
  }

  private struct WriteFailed: Error {}

  private func write(_ text: String, to path: String) throws {
    guard let stream = unsafe fopen(path, "w") else { throw WriteFailed() }
    let status = unsafe fputs(text, stream)
    guard unsafe fclose(stream) == 0, status >= 0 else { throw WriteFailed() }
  }

  @Test func mutatedJSONNeverCrashes() throws {
    var random = FixedRandom(state: 3)
    let seed = try Fixtures.bytes("passwords.json")
    let tokens = ["\"", "\\", "\\u", "\\ud83d", "{", "}", ",", ":", "null", "\n"]
    for _ in 0..<10_000 {
      let json = mutated(seed, tokens: tokens, using: &random)
      do {
        _ = try PasswordMap.passwords(json, file: "f")
      } catch {
        #expect(error.value == nil)
      }
    }
  }
}
