import Testing

@testable import Fleet

struct CommandShapeTests {
  private func shape(_ words: String...) -> CommandShape {
    CommandShape(arguments: words.map { Array($0.utf8)[...] })
  }

  @Test func keepsNameCountAndPrefix() {
    #expect(shape("SET", "session:8f3a", "secret") == CommandShape(name: "set", argumentCount: 3, prefix: "session:"))
    #expect(shape("Hgetall", "cart:1") == CommandShape(name: "hgetall", argumentCount: 2, prefix: "cart:"))
    #expect(shape("CLIENT", "KILL", "ID", "7").title == "CLIENT KILL")
    #expect(shape("OBJECT", "ENCODING", "cart:1").prefix == "cart:")
    #expect(shape("EVALSHA", "8f3a", "1", "lock:pay", "token").prefix == "lock:")
    #expect(shape("EVALSHA", "8f3a", "0", "lock:pay").prefix == nil)
  }

  /// Nothing that may be somebody's name, a password or a value.
  @Test(arguments: [
    ["AUTH", "hunter2:x"], ["AUTH", "alice", "hunter2:x"], ["SET", "user42:1", "v"],
    ["SET", "alice@example.org:1", "v"],
    ["SET", "plain-key", "v"], ["CONFIG", "SET", "requirepass", "hunter2:x"], ["PUBLISH", "channel:1", "message"],
    ["KEYS", "session:*"], ["GET", ":1"], ["SET", "\u{e4}:1", "v"], ["MIGRATE", "host", "6379", "key:1"],
    ["SET", String(repeating: "a", count: 40) + ":1", "v"], ["ACL", "SETUSER", "x:y", ">hunter2"], ["FOO.BAR", "a:b"],
  ])
  func keepsNoMore(words: [String]) {
    #expect(CommandShape(arguments: words.map { Array($0.utf8)[...] }).prefix == nil)
  }

  @Test func whatIsNoCommandHasNoName() {
    #expect(shape("eyJhbGciOi JIUzI1NiJ9").name == "other")
    #expect(shape("7up").name == "other")
    #expect(shape(String(repeating: "a", count: 41)).name == "other")
    #expect(CommandShape(arguments: []).argumentCount == 0)
    #expect(shape("CLIENT", "k\n").name == "client")
  }

  @Test func countsWhatTheServerLeftOut() {
    let words = ["MSET"] + (1...30).map { "k:\($0)" } + ["... (101 more arguments)"]
    #expect(CommandShape(arguments: words.map { Array($0.utf8)[...] }).argumentCount == 132)
  }

  @Test func namesOfListsAreRead() {
    #expect(CommandShape.commandName(Array("client|list".utf8)[...]) == "client|list")
    #expect(CommandShape.commandName(Array("json.get".utf8)[...]) == "json.get")
    #expect(CommandShape.commandName(Array("NULL ".utf8)[...]) == nil)
    #expect(CommandShape.commandName([]) == nil)
  }
}

struct ClientOriginTests {
  private func origin(_ name: String, _ user: String, _ host: String) -> ClientOrigin {
    ClientOrigin(name: Array(name.utf8)[...], user: Array(user.utf8)[...], host: Array(host.utf8)[...])
  }

  @Test(arguments: [
    ("10.2.7.9", "10.2.7.0/24"), ("[2001:db8:0:1::9]", "2001:db8:0:1::/64"), ("::ffff:10.2.7.9", "10.2.7.0/24"),
    ("/run/redis.sock", "unix socket"), ("", "unix socket"), ("fe80::1%eth0", "fe80:0:0:0::/64"), ("1.2.3", "unknown"),
    ("a::b::c", "unknown"), ("::1", "0:0:0:0::/64"),
  ])
  func networks(host: String, network: String) {
    #expect(ClientOrigin.network(host) == network)
  }

  @Test func isCalledByTheBestNameThereIs() {
    #expect(origin("job-7", "api", "10.2.7.9").place == "job-7 of 10.2.7.0/24")
    #expect(origin("", "api", "10.2.7.9").place == "user api of 10.2.7.0/24")
    #expect(origin("", "default", "10.2.7.9").place == "a client of 10.2.7.0/24")
    #expect(origin("alice@example.org", "", "10.2.7.9").title == "…@example.org")
  }
}
