import Config
import Runtime
import Testing
import Web

@testable import API
@testable import Fleet

/// What the page of a workload's keys says of its largest ones, and to whom.
@Suite struct LargeKeysFillingTests {
  private static let now = WallTime(seconds: 1_800_000_000)
  private static let secret = "report:alice"

  private static func census(_ text: String = "", isAimed: Bool = true, ended: WallTime? = now) throws -> CensusOverview
  {
    let config = try config(text)
    var table = BigKeyTable(bigBytes: Double(config.bigKeyBytes), topCount: config.topCount)
    for (name, bytes) in [(Array(secret.utf8), 5e6), ([0xff, 0x00, 0x5c, 0x20] + Array("x".utf8), 2e6)] {
      var key = BigKey(KeyName(database: 0, bytes: name), type: "hash", bytes: bytes, at: now)
      key.life = .until(milliseconds: now.epochMs + 60_000)
      table.note(key)
    }
    let long = KeyName(database: 0, bytes: Array(repeating: UInt8(ascii: "y"), count: 1 << 20))
    table.note(BigKey(long, type: "string", bytes: 3e6, at: now))
    table.endPass()
    var result = CensusResult()
    (result.isAimed, result.table, result.ended, result.maxBytes) = (isAimed, table, ended, 50e6)
    return CensusOverview(config, [("carts-1", result)], at: now)
  }

  private static func config(_ text: String) throws -> KeyspaceConfig {
    let file = """
      workloads:
        - name: carts
          kind: session
          topology: replication
          seeds: ["10.0.0.1:6379"]
          keyspace: {\(text)}
      """
    return try #require(FleetConfig.parse(Array(file.utf8), file: "f").workloads[0].keyspace)
  }

  private static func page(_ text: String, isLoggedIn: Bool, isAimed: Bool = true, ended: WallTime? = now) throws
    -> String
  {
    var overview = WorkloadStandingTests.overview(.healthy)
    overview.keyspace = KeyspaceOverview(
      try config(text), nil, .unknown, try census(text, isAimed: isAimed, ended: ended), at: now)
    let page = KeyspacePage(overview, metricsPath: "/metrics", now: now, isLoggedIn: isLoggedIn)
    return String(decoding: page.response().body.bytes, as: UTF8.self)
  }

  @Test func namesAreForThoseWhoLogIn() throws {
    let page = try Self.page("", isLoggedIn: true)
    #expect(page.contains("<code>\(Self.secret)</code>") && page.contains("<code>\\xff\\x00\\x5c\\x20x</code>"))
    #expect(page.contains(String(repeating: "y", count: 128) + "…</code>"))
    #expect(!page.contains(String(repeating: "y", count: 129)))
    #expect(page.contains("10 % of maxmemory") && page.contains("3 keys of at least 1.0 MiB"))
  }

  @Test(arguments: [("", false), ("names: hashed", true), ("names: hashed", false)])
  func othersSeeHashes(text: String, isLoggedIn: Bool) throws {
    let page = try Self.page(text, isLoggedIn: isLoggedIn)
    #expect(!page.contains("alice") && !page.contains("yyyy") && page.contains("<code>#"))
    #expect(page.contains("Instead of names there are hashes"))
  }

  @Test func orNothing() throws {
    let page = try Self.page("names: never", isLoggedIn: true)
    #expect(!page.contains("alice") && !page.contains("<code>#") && page.contains("not shown"))
  }

  @Test func saysWhyNobodyLooks() throws {
    let page = try Self.page("", isLoggedIn: false, isAimed: false)
    #expect(page.contains("No shard is looked at") && page.contains("census: all"))
    #expect(!page.contains("keys of at least"))
    #expect(try Self.page("", isLoggedIn: false, ended: nil).contains("Not every key was looked at yet"))
    #expect(!(try Self.page("", isLoggedIn: false, ended: Self.now - 86_400)).contains("3 keys of"), "too old")
  }

  @Test func theAnswerKeepsToTheSameRule() async throws {
    var overview = WorkloadStandingTests.overview(.healthy)
    overview.keyspace = KeyspaceOverview(try Self.config(""), nil, .unknown, try Self.census(), at: Self.now)
    for isLoggedIn in [false, true] {
      var json = JSONWriter()
      KeyAnswers.write(overview.name, try #require(overview.keyspace), isLoggedIn: isLoggedIn, to: &json)
      #expect(json.text.contains("alice") == isLoggedIn, "\(json.text)")
      #expect(json.text.contains("\"bigKeys\":3") && json.text.contains("\"shardsComplete\":1"))
    }
  }
}
