import Config
import Fleet
import Redis
import Runtime
import Testing

@testable import Drills

/// What an upgrade would meet, of servers that say this and that. Nobody is asked.
@Suite struct UpgradeTests {
  private static let now = WallTime(seconds: 1_800_000_000)

  private static func workload(_ topology: String = "sentinel") throws -> WorkloadConfig {
    let more = topology == "sentinel" ? "sentinel: {master_name: m, seeds: [s]}" : "topology: \(topology), seeds: [a]"
    let text = "workloads: [{name: carts, kind: session, \(more)}]\n"
    return try FleetConfig.parse(Array(text.utf8), file: "redline.yml").workloads[0]
  }

  private static func server(
    _ name: String, _ role: FleetMember.Role = .master, _ release: String = "redis-7.0.15", shard: Int = 0,
    _ change: (inout UpgradeServer) -> Void = { _ in }
  ) -> UpgradeServer {
    var server = UpgradeServer(instance: name, role: role, shard: shard)
    server.release = ServerRelease(release, usual: .redis)
    server.isLinkUp = role == .replica ? true : nil
    (server.modules, server.commands, server.settings) = (.known([]), .known(["get": 5]), .known([:]))
    server.dumpAgeSeconds = 600
    server.sentinelUsers = .known([])
    change(&server)
    return server
  }

  private static let pair = [server("a"), server("b", .replica)]

  private static func check(
    _ servers: [UpgradeServer], to release: String = "7.2", topology: String = "sentinel", backup: CheckReport? = nil
  ) throws -> UpgradeCheck {
    let target = try #require(ServerRelease(release, usual: .redis))
    return UpgradeCheck(try workload(topology), to: target, servers, backup: backup, now: now)
  }

  private static func line(_ subject: UpgradeCheck.Subject, _ check: UpgradeCheck) -> CheckResult? {
    check.results.first { $0.check == subject.rawValue }
  }

  private static func backup(_ verdict: CheckResult.Answer, age: Double, ended: Double = 60) -> CheckReport {
    CheckReport(
      check: "backup", workload: "carts", startedAt: now - ended - 10, endedAt: now - ended, verdict: verdict,
      numbers: ["age_seconds": age])
  }

  // MARK: Releases

  @Test(arguments: [
    ("8.2", "Redis 8.2"), ("redis-7.4.1", "Redis 7.4.1"), ("valkey-9.1", "Valkey 9.1"),
    ("Valkey-8.1.3", "Valkey 8.1.3"),
  ])
  func releasesAreRead(text: String, shown: String) {
    #expect(ServerRelease(text, usual: .redis)?.description == shown)
  }

  @Test(arguments: ["", "8", "valkey", "keydb-6.3", "8.x", "8.2.1.1", "-8.2", "8.2-", "redis-0.1", "9999.1", "8..2"])
  func otherTextsAreNone(text: String) { #expect(ServerRelease(text, usual: .redis) == nil) }

  @Test(arguments: [
    // From, to, and what comes of it: its format is read, not read, or not known.
    ("redis-6.2.14", "7.0", CheckResult.Answer.ok, "not the other way round"),
    ("redis-7.0.15", "7.0.16", .ok, "both orders"), ("redis-7.4.1", "8.2", .ok, "both orders"),
    ("redis-8.2.3", "8.10", .ok, "not the other way round"), ("redis-7.0.15", "12.0", .ok, "is not known"),
    ("redis-8.2.3", "7.4", .finding, "older than"), ("redis-7.2.5", "7.0", .finding, "older than"),
    ("redis-7.2.4", "valkey-9.1", .ok, "up to 7.2"), ("redis-6.2.14", "valkey-8.0", .ok, "up to 7.2"),
    ("redis-7.4.1", "valkey-9.1", .finding, "is not assured"),
    ("redis-8.8.0", "valkey-8.0", .finding, "is not assured"),
    ("redis-9.9.0", "valkey-9.1", .unknown, "is not known"),
    ("valkey-9.1.2", "redis-8.2", .finding, "knows nothing"), ("valkey-8.1.0", "valkey-9.0", .ok, "format 80"),
    ("valkey-9.0.0", "valkey-8.1", .finding, "older than"),
  ])
  func formatsAreABarrier(from: String, to: String, answer: CheckResult.Answer, part: String) throws {
    let check = try Self.check([Self.server("a", .master, from), Self.server("b", .replica, from)], to: to)
    let line = try #require(Self.line(.format, check))
    #expect(line.answer == answer && (line.reason ?? line.text).contains(part), "\(line)")
    #expect(line.answer != .finding || line.severity == .critical)
  }

  @Test func aMasterThatIsNewerThanItsReplicaIsFound() throws {
    func line(_ master: String, _ replica: String) throws -> CheckResult? {
      Self.line(.releases, try Self.check([Self.server("a", .master, master), Self.server("b", .replica, replica)]))
    }
    #expect(try line("redis-7.0.15", "redis-7.0.15")?.answer == .ok)
    #expect(try line("redis-7.0.15", "redis-7.2.5")?.severity == .info)
    #expect(try line("redis-7.2.5", "redis-7.0.15")?.severity == .warning)
    #expect(try line("redis-7.2.0", "redis-7.2.0")?.text == "all run Redis 7.2 already")
    #expect(try line("redis-8.2.3", "redis-7.4.1")?.severity == .info, "both write format 12")
  }

  // MARK: What one fault flips

  @Test func allIsWellWhereNothingIsWrong() throws {
    let check = try Self.check(Self.pair, backup: Self.backup(.ok, age: 3600))
    #expect(check.results.map(\.answer) == Array(repeating: .ok, count: check.results.count), "\(check.results)")
    #expect(Set(check.results.map(\.check)) == Set(UpgradeCheck.Subject.allCases.map(\.rawValue)))
    #expect(try Self.check([]).results.allSatisfy { $0.answer == .unknown })
  }

  @Test func eachFaultFlipsItsLine() throws {
    func flipped(
      _ subject: UpgradeCheck.Subject, _ answer: CheckResult.Answer, _ part: String, to release: String = "7.2",
      _ master: (inout UpgradeServer) -> Void, location: SourceLocation = #_sourceLocation
    ) throws {
      let check = try Self.check(
        [Self.server("a", .master, "redis-6.2.14", master), Self.server("b", .replica, "redis-6.2.14")], to: release,
        backup: Self.backup(.ok, age: 3600))
      let line = try #require(Self.line(subject, check))
      #expect(
        line.answer == answer && (line.reason ?? line.text).contains(part), "\(line)", sourceLocation: location)
    }
    try flipped(.members, .unknown, "a does not answer: timeout") { $0.silence = "timeout" }
    try flipped(.modules, .unknown, "search 21005") { $0.modules = .known([.init(name: "search", version: 21005)]) }
    try flipped(.modules, .finding, "search 21005", to: "valkey-9.1") {
      $0.modules = .known([.init(name: "search", version: 21005)])
    }
    try flipped(.modules, .unknown, "+module|list") { $0.modules = .unknown("+module|list") }
    try flipped(.commands, .finding, "STRALGO (3 calls on a;") { $0.commands = .known(["stralgo": 3, "get": 1]) }
    try flipped(.commands, .ok, "no command") { $0.commands = .known(["stralgo": 0]) }
    try flipped(.commands, .unknown, "+info") { $0.commands = .unknown("+info") }
    try flipped(.settings, .finding, "gopher-enabled of a") { $0.settings = .known(["gopher-enabled": "yes"]) }
    try flipped(.settings, .ok, "no setting") { $0.settings = .known(["gopher-enabled": "no"]) }
    try flipped(.settings, .unknown, "+config|get") { $0.settings = .unknown("+config|get") }
    try flipped(.defaults, .finding, "acl-pubsub-default is allchannels") {
      $0.settings = .known(["acl-pubsub-default": "allchannels"])
    }
    try flipped(.sentinels, .ok, "asks nothing new") { _ in }
    try flipped(.sentinels, .unknown, "+client|list", to: "valkey-9.1") { $0.sentinelUsers = .unknown("+client|list") }
    try flipped(.sentinels, .finding, "ACL SETUSER watch +failover", to: "valkey-9.1") {
      $0.sentinelUsers = .known([.init(name: "watch", mayFailover: false)])
    }
    try flipped(.sentinels, .ok, "may FAILOVER", to: "valkey-9.1") {
      $0.sentinelUsers = .known([.init(name: "default", mayFailover: true)])
    }
  }

  @Test func whoTakesOverIsAsked() throws {
    let alone = try Self.check([Self.server("a"), Self.server("b", .replica) { $0.isLinkUp = false }])
    #expect(Self.line(.replicas, alone)?.severity == .critical)
    // A replica of another shard takes over from nobody here.
    let other = try Self.check([Self.server("a"), Self.server("b", .replica, shard: 1)], topology: "cluster")
    #expect(Self.line(.replicas, other)?.severity == .critical)
    #expect(Self.line(.replicas, try Self.check([Self.server("a")], topology: "static"))?.severity == .warning)
  }

  @Test func aBackupOfADayIsAsked() throws {
    func line(_ backup: CheckReport?, dump: Double? = 600) throws -> CheckResult? {
      let servers = [
        Self.server("a") { $0.dumpAgeSeconds = dump }, Self.server("b", .replica) { $0.dumpAgeSeconds = nil },
      ]
      return Self.line(.backup, try Self.check(servers, backup: backup))
    }
    #expect(try line(Self.backup(.ok, age: 3600))?.answer == .ok)
    #expect(try line(Self.backup(.ok, age: 90_000))?.severity == .info)
    #expect(try line(Self.backup(.finding, age: 60))?.severity == .critical)
    #expect(try line(nil)?.severity == .info)
    #expect(try line(nil, dump: 100_000)?.severity == .warning)
    #expect(try line(nil, dump: nil)?.severity == .warning)
  }

  @Test func whatValkeyLacksIsFound() throws {
    func line(_ calls: String, _ to: String, _ from: String = "redis-8.2.3") throws -> CheckResult? {
      let servers = [
        Self.server("a", .master, from) { $0.commands = .known([calls: 2]) }, Self.server("b", .replica, from),
      ]
      return Self.line(.commands, try Self.check(servers, to: to))
    }
    #expect(try line("hexpire", "valkey-8.1")?.answer == .finding)
    #expect(try line("hexpire", "valkey-9.0")?.answer == .ok)
    #expect(try line("hgetdel", "valkey-9.0")?.answer == .finding)
    #expect(try line("vadd", "valkey-9.1")?.answer == .finding)
    #expect(try line("vadd", "8.4")?.answer == .ok)
    #expect(try line("get", "valkey-9.1", "redis-8.4.0")?.answer == .unknown)
  }

  // MARK: Steps

  @Test func replicasComeFirstThenTheFailoverThenTheOldMaster() throws {
    let check = try Self.check(Self.pair + [Self.server("c", .replica), Self.server("s", .sentinel)])
    let steps = UpgradePlan(check).steps(configuration: "redline.yml", marks: "/etc/t")
    #expect(
      steps.map(\.title) == [
        "Before", "Upgrade b, a replica", "Upgrade c, a replica", "Fail over from a",
        "Upgrade a, the old master, now a replica", "Upgrade the Sentinel s", "Afterwards",
      ])
    let failover = steps[3].commands[0]
    let pause = try #require(failover.firstRange(of: "CLIENT PAUSE 30000 WRITE"))
    let order = try #require(failover.firstRange(of: "SENTINEL FAILOVER"))
    #expect(pause.upperBound < order.lowerBound && failover.contains("&&"), "the pause comes first")
    #expect(steps[0].commands.contains { $0.contains("kind:change\"") })
    #expect(steps.last?.commands.contains { $0.contains("kind:change-end") } == true)
    // Who has it already is left alone.
    let done = try Self.check([Self.server("a", .master, "redis-7.2.0"), Self.server("b", .replica, "redis-7.2.0")])
    #expect(UpgradePlan(done).steps(configuration: "f", marks: nil).map(\.title) == ["Before", "Afterwards"])
  }

  @Test func aClusterGoesShardByShard() throws {
    let servers = [
      Self.server("a"), Self.server("b", .replica), Self.server("c", shard: 1), Self.server("d", .replica, shard: 1),
    ]
    let steps = UpgradePlan(try Self.check(servers, topology: "cluster")).steps(configuration: "f", marks: nil)
    #expect(
      steps.map(\.title).dropFirst().dropLast() == [
        "Upgrade b, a replica of shard 1", "Fail over from a of shard 1",
        "Upgrade a, the old master of shard 1, now a replica", "Upgrade d, a replica of shard 2",
        "Fail over from c of shard 2", "Upgrade c, the old master of shard 2, now a replica",
      ])
    #expect(steps.map(\.commands).joined().contains { $0.contains("CLUSTER FAILOVER") })
    #expect(!steps.map(\.commands).joined().contains { $0.contains("SENTINEL") })
  }

  @Test func usersOfSentinelsAreFoundByTheNamesOfTheirConnections() {
    let list = """
      id=3 addr=10.0.0.1:1 name=sentinel-0a1b2c3d-cmd user=watch cmd=ping
      id=4 addr=10.0.0.1:2 name=sentinel-0a1b2c3d-pubsub user=watch cmd=subscribe
      id=5 addr=10.0.0.2:2 name=shop user=shop cmd=get
      id=6 name=sentinel-x user=
      """
    #expect(UpgradeServer.sentinelUsers(in: Array(list.utf8)[...]) == ["watch"])
  }
}
