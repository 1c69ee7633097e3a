import Testing

@testable import Redis

@Suite struct RedisAddressTests {
  @Test(arguments: [
    ("localhost", "redis://localhost:6379"),
    ("10.0.0.1:7000", "redis://10.0.0.1:7000"),
    ("redis://host", "redis://host:6379"),
    ("redis://host:7000/3", "redis://host:7000/3"),
    ("REDISS://host:1", "rediss://host:1"),
    ("valkey://host:1", "redis://host:1"),
    ("valkeys://host:1", "rediss://host:1"),
    ("tcp://host:1", "redis://host:1"),
    ("[::1]:7000", "redis://[::1]:7000"),
    ("redis://[fe80::1]", "redis://[fe80::1]:6379"),
    ("redis://:6380", "redis://localhost:6380"),
    ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("redis://u:p@host:1", "redis://host:1"),
    ("redis://u:p@ss@host:1", "redis://host:1"),
    ("redis://host:1?db=3", "redis://host:1"),
  ])
  func addresses(text: String, canonical: String) throws {
    #expect(try RedisAddress(text).description == canonical)
  }

  @Test(
    arguments: [
      ("redis://alice:s%40crt@h", "alice", "s@crt"),
      ("redis://:only@h", nil, "only"),
      ("redis://only@h", nil, "only"),
      ("redis://alice:@h", "alice", ""),
      ("redis://h", nil, nil),
      ("unix://alice:pw@/run/r.sock", "alice", "pw"),
    ] as [(String, String?, String?)])
  func userinfo(text: String, user: String?, password: String?) throws {
    let address = try RedisAddress(text)
    #expect(address.user == user)
    #expect(address.password == password)
    #expect(address.withoutPassword.password == nil)
  }

  @Test(arguments: [
    ("http://host", "scheme"), ("redis://host:0", "port"), ("redis://host:99999", "port"), ("redis://host:x", "port"),
    ("redis://host/x", "database"), ("redis://::1:6379", "brackets"), ("redis://[::1", "bracket"),
    ("unix://run/redis.sock", "absolute"), ("redis://u:%zz@h", "hex digits"), ("redis://[::1]x", "follow"),
    ("a b", "control character"), ("\u{0}", "control character"),
  ])
  func errorsSayWhatIsWrong(text: String, word: String) {
    let error = #expect(throws: RedisAddressError.self) { try RedisAddress(text) }
    #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
  }

  @Test func secretsDoNotPrint() throws {
    let credentials = Credentials(user: "alice", password: "hunter2")
    var dumped = ""
    dump(credentials, to: &dumped)
    for text in [
      "\(credentials)", String(reflecting: credentials), dumped, "\(try RedisAddress("redis://a:hunter2@h"))",
    ] {
      #expect(!text.contains("hunter2"))
    }
    #expect(
      !("\(#expect(throws: RedisAddressError.self) { try RedisAddress("redis://a:hunter2@h:x") }!)".contains("hunter2"))
    )
  }
}

@Suite struct RedisErrorTests {
  @Test(arguments: [
    ("NOAUTH Authentication required.", RedisError.Class.auth), ("WRONGPASS invalid", .auth),
    ("NOPERM this user has no permissions", .permission), ("LOADING Redis is loading", .loading),
    ("BUSY Redis is busy running a script", .busy), ("DENIED Redis is running in protected mode", .denied),
    ("ERR max number of clients reached", .maxclients), ("ERR Client sent AUTH, but no password is set", .auth),
    ("ERR invalid password", .auth), ("ERR unknown command 'INFO'", .protocol),
  ])
  func classes(text: String, expected: RedisError.Class) throws {
    let reply = try Replies.read(Array("-\(text)\r\n".utf8))[0]
    #expect(RedisError(reply: reply, to: ["INFO", "ALL"]).errorClass == expected)
  }

  @Test(arguments: [
    ("ERR unknown command 'AUTH', with args beginning with: 'monitor' 'hunter2'", "does not know the command"),
    ("ERR AUTH hunter2 called without any password configured", "wants no password"),
    ("WRONGPASS hunter2 is wrong", "WRONGPASS"), ("hunter2 hunter2", "not shown"), ("ERR hunter2", "not shown"),
    ("NOPERM hunter2", "NOPERM"), ("ERR max number of clients reached, hunter2", "connection"),
  ])
  func anAnswerToALoginIsNotRepeated(text: String, word: String) throws {
    let reply = try Replies.read(Array("-\(text)\r\n".utf8))[0]
    for command: Command in [["AUTH", "monitor", "hunter2"], ["hello", "3", "AUTH", "monitor", "hunter2"]] {
      let message = RedisError(reply: reply, to: command).message
      #expect(message.contains(word) && !message.contains("hunter2"), "\(message)")
    }
  }

  @Test func theServersWordsAreBoundedAndPrintable() throws {
    let reply = try Replies.read(
      Array("-ERR ".utf8) + [0x1b, 0xff] + [UInt8](repeating: 0x61, count: 5000) + [13, 10])[0]
    let message = RedisError(reply: reply, to: ["INFO"]).message
    #expect(message.utf8.count < 250)
    #expect(message.utf8.allSatisfy { (0x20..<0x7f).contains($0) || $0 >= 0x80 })
    #expect(message.contains("ERR ??aaa"))
  }
}
