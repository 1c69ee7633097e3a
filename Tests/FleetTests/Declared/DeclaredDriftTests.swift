import Config
import Redis
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct DeclaredDriftTests {
  private func drift(
    _ text: String, _ answers: [String: String]?, told: [String: String] = [:], commands: [String: Bool]? = [:],
    asked: Set<String>? = nil
  ) throws -> DeclaredDrift {
    let settings = try ConfFolder.settings(text)
    return settings.drift(
      answers: answers.map { .known($0) } ?? .unknown("+config|get"), asked: asked ?? Set(settings.names), told: told,
      commands: commands.map { .known($0) } ?? .unknown("+command|info"))
  }

  private func lines(_ drift: DeclaredDrift) -> [String] {
    drift.settings.map { "\($0.name) \($0.declared ?? "-") \($0.running ?? "-") \($0.verdict)" }
  }

  @Test func tellsEachSetting() throws {
    let drift = try drift(
      """
      maxmemory 1gb
      maxmemory-policy allkeys-lru
      slave-priority 10
      client-output-buffer-limit normal 0 0 0
      client-output-buffer-limit replica 256mb 64mb 60
      requirepass hunter2
      brand-new 5
      lua-replicate-commands yes
      save ""
      """,
      [
        "maxmemory": "1073741824", "maxmemory-policy": "noeviction", "slave-priority": "100", "save": "3600 1",
        "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 30 pubsub 1 1 1",
      ])
    #expect(
      lines(drift) == [
        "maxmemory 1gb 1073741824 same", "maxmemory-policy allkeys-lru noeviction differs",
        "replica-priority 10 100 differs", "client-output-buffer-limit normal 0 0 0 0 0 0 same",
        "client-output-buffer-limit replica 268435456 67108864 60 268435456 67108864 30 differs",
        "brand-new 5 - differs",
        #"lua-replicate-commands yes - exempt("without effect")"#, "save  3600 1 differs",
        #"requirepass - - exempt("a secret")"#,
      ])
    #expect(drift.count == 5 && drift.unknowns == [])
    #expect(
      drift.text(of: drift.settings[0].place.file) == """
        differs from redis.conf in 5 settings: maxmemory-policy (allkeys-lru in line 2, runs with noeviction), \
        replica-priority (10 in line 3, runs with 100), client-output-buffer-limit replica (268435456 67108864 60 in line 5, \
        runs with 268435456 67108864 30), brand-new (5 in line 7, the server has none), save (empty in line 9, runs with 3600 1)
        """)
  }

  @Test func withoutConfigInfoTellsAFew() throws {
    let drift = try drift(
      "maxmemory 1gb\nport 6379\nappendonly yes\ntimeout 5\n", nil,
      told: ["maxmemory": "1073741824", "port": "6380", "appendonly": "yes"])
    #expect(
      lines(drift) == [
        "maxmemory 1gb 1073741824 same", "port 6379 6380 differs", "appendonly yes yes same",
        #"timeout 5 - unknown("+config|get")"#,
      ])
    #expect(drift.count == 1 && drift.unknowns == ["+config|get"])
    // With nothing found, nothing can be said.
    let blind = try self.drift("maxmemory 1gb\ntimeout 5\n", nil, told: ["maxmemory": "1073741824"])
    #expect(blind.count == nil && blind.text(of: "redis.conf") == nil)
  }

  @Test func whatWasNotAskedIsUnknown() throws {
    let drift = try drift("hz 5\ntimeout 5\n", ["hz": "5"], asked: ["hz"])
    #expect(lines(drift) == ["hz 5 5 same", #"timeout 5 - unknown("the server was not asked yet")"#])
  }

  @Test func commandsThatAreToBeRenamed() throws {
    let text = "rename-command CONFIG \"\"\nrename-command FLUSHALL xyzzy\nrename-command KEYS \"\"\n"
    let found = try drift(text, [:], commands: ["config": false, "flushall": true])
    #expect(
      lines(found) == [
        "rename-command CONFIG no command - same", "rename-command FLUSHALL another name FLUSHALL differs",
        #"rename-command KEYS no command - unknown("the server was not asked yet")"#,
      ])
    #expect(try drift(text, [:], commands: nil).unknowns == ["+command|info"])
  }

  @Test func aNodeOfAClusterHasOneDatabase() throws {
    #expect(try drift("cluster-enabled yes\ndatabases 16\n", ["cluster-enabled": "yes", "databases": "1"]).count == 0)
    #expect(try drift("databases 16\n", ["databases": "1"]).count == 1)
  }

  @Test func listsAreBounded() throws {
    let names = (1...30).map { "new-\($0)" }
    let drift = try drift(
      names.map { "\($0) \(String(repeating: "x", count: 300))\n" }.joined(),
      Dictionary(uniqueKeysWithValues: names.map { ($0, "y\n\u{1B}") }))
    let text = try #require(drift.text(of: drift.settings[0].place.file))
    #expect(text.contains("in 30 settings") && text.hasSuffix(", 10 more") && text.utf8.count < 20 * 200)
    #expect(!text.contains("\n") && !text.contains("\u{1B}"))
  }

  @Test func sentinels() throws {
    let folder = ConfFolder([
      "sentinel.conf": """
      port 26379
      sentinel down-after-milliseconds carts 5000
      sentinel monitor carts 10.0.0.1 6379 2
      sentinel monitor other 10.0.0.2 6379 3
      sentinel parallel-syncs carts 1
      sentinel failover-timeout other 1
      sentinel auth-pass carts hunter2-sentinel
      """
    ])
    let path = folder.file("sentinel.conf")
    let declared = try DeclaredSentinel(ConfFile(path), path: path, masterName: "carts")
    let master = try #require(
      MonitoredMaster(
        SentinelViewTests.reply(
          SentinelViewTests.details([
            ("name", "carts"), ("ip", "10.0.0.9"), ("port", "6379"), ("quorum", "2"),
            ("down-after-milliseconds", "30000"), ("failover-timeout", "180000"), ("parallel-syncs", "1"),
          ]))))
    let drift = declared.drift(master)
    #expect(
      lines(drift) == [
        "sentinel quorum 2 2 same", "sentinel down-after-milliseconds 5000 30000 differs",
        "sentinel parallel-syncs 1 1 same",
      ])
    #expect(!"\(declared)".contains("hunter2"))
    func problem(_ text: String, _ name: String = "carts") throws -> String {
      folder.write("sentinel.conf", Array(text.utf8))
      let error = try #require(throws: ConfigErrors.self) {
        try DeclaredSentinel(ConfFile(path), path: path, masterName: name)
      }
      return error.description.replacing("\(folder.path)/", with: "")
    }
    #expect(
      try problem("sentinel monitor carts h 1 2\n", "pages")
        == #"sentinel.conf: "pages" is monitored nowhere in it; add sentinel monitor, or correct sentinel.master_name"#)
    #expect(
      try problem("sentinel monitor carts h 1 0\n")
        == "sentinel.conf:1:1: sentinel monitor: has a value that is no number it can have; write a whole number of 1 or more"
    )
    #expect(
      try problem("sentinel monitor carts h 1\n")
        == "sentinel.conf:1:1: sentinel monitor: has not 4 values; write the master's name, host, port and quorum")
    #expect(
      try problem("sentinel monitor carts h 1 1\nsentinel monitor carts h 1 2\n")
        == "sentinel.conf:2:1: sentinel monitor: is monitored twice; keep one line")
  }

  @Test func filesOfAConfiguration() throws {
    let folder = ConfFolder([
      "redline.yml": """
      workloads:
        - {name: carts, kind: session, sentinel: {master_name: carts, seeds: [a]},
           declared: {redis_conf: redis.conf, sentinel_conf: sentinel.conf}}
        - {name: pages, kind: cache, seeds: [b], declared: {redis_conf: redis.conf, ignore: [slave-priority]}}
        - {name: rest, kind: cache, seeds: [c]}
      """,
      "redis.conf": "include d/*.conf\nreplica-priority 5\nhz 5\n", "d/a.conf": "timeout 5\n",
      "sentinel.conf": "sentinel monitor carts h 1 2\n",
    ])
    func read() throws -> DeclaredFiles { try DeclaredFiles.read(FleetConfig.load(folder.file("redline.yml"))) }
    let files = try read()
    #expect(files["carts"]?.settings?.values.settings.map(\.name) == ["timeout", "replica-priority", "hz"])
    #expect(files["pages"]?.settings?.values.settings.map(\.name) == ["timeout", "hz"])
    #expect(files["carts"]?.sentinel?.values.settings.count == 1 && files["pages"]?.sentinel == nil)
    #expect(files["rest"] == nil)
    let contents = try files.contents()
    #expect(try read().contents() == contents)
    // Another file that matches is a change as well.
    folder.write("d/b.conf", [])
    #expect(try files.contents() != contents)
    folder.write("d/b.conf", Array("hz x\n".utf8))
    folder.write("sentinel.conf", [])
    let error = try #require(throws: ConfigErrors.self) { try read() }
    #expect(error.errors.count == 2, "each error once: \(error)")
  }
}
