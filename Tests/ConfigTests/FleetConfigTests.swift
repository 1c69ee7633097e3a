import TestSupport
import Testing

@testable import Config

@Suite(.timeLimit(.minutes(1))) struct FleetConfigTests {
  static func read(_ text: String) throws -> FleetConfig {
    try FleetConfig.parse(Array(text.utf8), file: "redline.yml")
  }

  static func good(_ name: String) throws -> FleetConfig {
    try FleetConfig.parse(Fixtures.bytes("fleet/\(name).good.yml"), file: "\(name).good.yml")
  }

  /// A workload with further lines of YAML.
  static func workload(_ kind: String, _ lines: String...) throws -> WorkloadConfig {
    let text = (["name: w", "kind: \(kind)", "seeds: [a]"] + lines).map { "    \($0)\n" }.joined()
    return try read("workloads:\n  -\n" + text).workloads[0]
  }

  // MARK: Files

  /// Beside each good file stands what it resolves to: one says everything, the others what their kinds do not bring.
  @Test(arguments: Fixtures.names(".good.yml", in: "fleet"))
  func goodFileResolves(name: String) throws {
    let fleet = try FleetConfig.parse(Fixtures.bytes(name), file: name)
    let golden = name.replacing(".good.yml", with: ".resolved.yml")
    let text = try name.hasSuffix("/every-key.good.yml") ? fleet.resolvedText : ResolvedDifference.text(of: fleet)
    Fixtures.update(golden, text)
    #expect(try text == Fixtures.text(golden))
  }

  @Test(arguments: Fixtures.names(".good.yml", in: "fleet"))
  func resolvedTextLoadsAgain(name: String) throws {
    let fleet = try FleetConfig.parse(Fixtures.bytes(name), file: name)
    let again = try Self.read(fleet.resolvedText)
    #expect(again.resolvedText == fleet.resolvedText)
    if !fleet.resolvedText.contains("<secret>") { #expect(again == fleet) }
    #expect(!fleet.resolvedText.contains("hunter2"))
  }

  /// Each bad file ends with one `# expect: line:column: message` for every error, in order.
  @Test(arguments: Fixtures.names(".bad.yml", in: "fleet"))
  func badFileIsRefused(name: String) throws {
    let text = try Fixtures.text(name)
    let error = try #require(throws: ConfigErrors.self) { try FleetConfig.parse(Array(text.utf8), file: "f") }
    let found = error.errors.map { "# expect: " + $0.description.dropFirst("f:".count) }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let body = lines.filter { !$0.hasPrefix("# expect: ") }.joined(separator: "\n")
    Fixtures.update(name, body + found.map { $0 + "\n" }.joined())
    #expect(lines.filter { $0.hasPrefix("# expect: ") }.map(String.init) == found)
    #expect(!error.description.contains("hunter2"))
  }

  @Test func mutatedTextNeverTraps() throws {
    var random = FixedRandom(state: 3)
    let seeds = try Fixtures.names(".good.yml", in: "fleet").map { try Fixtures.bytes($0) }
    let tokens = [
      "off", "any", ": ", "[", "]", "{}", "- ", "-1", "99999999999999999999", "0", "%", "*", "\u{0}", "\u{FEFF}", "/",
      "Mon 02:00-04:00 UTC", "9999-12-31T23:59:59Z", "@", "\n  ", "&a ", "*a",
    ]
    let time = Timestamp(epochMs: 1_795_000_000_000)
    for _ in 0..<3000 {
      let text = mutated(seeds.randomElement(using: &random)!, tokens: tokens, using: &random)
      do throws(ConfigErrors) {
        let fleet = try FleetConfig.parse(text, file: "f")
        let again = try FleetConfig.parse(Array(fleet.resolvedText.utf8), file: "resolved")
        #expect(again.resolvedText == fleet.resolvedText)
        for workload in fleet.workloads {
          _ = workload.objectives(at: time)
          _ = workload.maintenance.nextChange(after: time)
          _ = workload.peak?.windows.nextChange(after: time)
        }
      } catch {
        #expect(!error.errors.isEmpty && error.errors.allSatisfy { $0.origin != .file("resolved", nil) })
        #expect(!error.description.hasPrefix("resolved"), "\(error)")
      }
    }
  }

  // MARK: What kinds bring

  @Test func kindsBringTheirDefaults() throws {
    let fleet = try Self.good("three-workloads")
    let (cache, session, queue) = (fleet.workloads[0], fleet.workloads[1], fleet.workloads[2])
    #expect([cache.topology, session.topology, queue.topology] == [.cluster, .sentinel, .replication])
    #expect(cache.expected == MemberCounts(masters: 3, replicas: 3))
    #expect(session.expected == MemberCounts(masters: 1, replicas: 2, sentinels: 3))
    #expect(queue.expected.nodes == 3)
    #expect([cache, session, queue].map { $0.eviction.fits("noeviction") } == [false, true, true])
    #expect([cache, session, queue].map { $0.eviction.fits("allkeys-lru") } == [true, false, false])
    #expect([cache.persistence.aof, session.persistence.aof, queue.persistence.aof] == [.off, .everysec, .always])
    #expect([cache, session, queue].map(\.objectives.rpo) == [nil, .seconds(1), .zero])
    #expect([cache, session, queue].map(\.objectives.memoryUsedRatio) == [0.85, 0.85, 0.85])
    #expect([cache, session, queue].map(\.objectives.memoryPages) == [false, true, true])
    #expect([cache, session, queue].map(\.objectives.hitRatio) == [0.8, nil, nil])
    #expect(cache.environment == "production" && cache.team == "platform" && cache.labels == ["region": "eu-west"])
    #expect(session.sentinel?.login?.password == .environment("SENTINEL_PASSWORD"))
    #expect(session.login?.password == .credential("carts"))
    #expect(session.sentinel?.seeds.map(\.description) == ["10.0.1.1:26379"])
  }

  @Test func anotherTopologyDropsTheCountsOfTheKind() throws {
    #expect(try Self.workload("cache", "topology: static").expected == MemberCounts())
    #expect(try Self.workload("cache", "topology: replication").expected == MemberCounts(masters: 1))
  }

  @Test func memoryPagesOnlyWhereKeysMustStay() throws {
    #expect(try Self.workload("cache", "eviction: forbidden").objectives.memoryPages)
    #expect(try !Self.workload("queue", "eviction: allowed").objectives.memoryPages)
    #expect(try Self.workload("cache", "objectives: {memory_pages: true}").objectives.memoryPages)
  }

  @Test func listOfPoliciesDecides() throws {
    let workload = try Self.workload("queue", "eviction_policies: [volatile-ttl]")
    #expect(workload.eviction.permission == .allowed)
    #expect(workload.eviction.fits("volatile-ttl") && !workload.eviction.fits("allkeys-lru"))
  }

  // MARK: Moments

  @Test func peakSwapsObjectivesWithinItsWindow() throws {
    let workload = try Self.workload(
      "cache", "peak: {windows: [2026-11-27T00:00:00Z/2026-11-28T00:00:00Z], evictions_forbidden: true}")
    let before = try #require(Timestamp.parse("2026-11-26T23:59:59.999Z"))
    let start = try #require(Timestamp.parse("2026-11-27T00:00:00Z"))
    #expect(workload.objectives(at: before) == workload.objectives)
    #expect(workload.areEvictionsAllowed(at: before) == true)
    let peak = workload.objectives(at: start)
    #expect(peak.memoryUsedRatio == 0.8 && peak.latencyP99 == .milliseconds(5) && peak.hitRatio == 0.85)
    #expect(peak.replicationLag == workload.objectives.replicationLag)
    #expect(workload.areEvictionsAllowed(at: start) == false)
  }

  @Test func peakNeverLoosensAndNeverTurnsOn() throws {
    let peak = try #require(try Self.good("peak-stricter").workloads[0].peak).objectives
    #expect(peak.memoryUsedRatio == 0.5 && peak.latencyP99 == .milliseconds(1) && peak.hitRatio == nil)
  }

  @Test func maintenanceOfTheFileHoldsForEachWorkload() throws {
    let workload = try Self.good("every-key").workloads[0]
    let moments = ["2026-11-29T03:00:00Z", "2026-12-31T23:00:00Z", "2026-11-23T07:30:00Z", "2026-11-24T07:30:00Z"]
    let found = try moments.map { workload.isInMaintenance(at: try #require(Timestamp.parse($0))) }
    #expect(found == [true, true, true, false])
  }

  // MARK: Addresses and keys

  @Test func rewritesApplyInOrder() throws {
    let rules = try Self.good("every-key").workloads[0].addressRewrites
    func rewritten(_ host: String, _ port: Int) -> String {
      let result = rules.apply(host: host, port: port)
      return "\(result.host) \(result.port)"
    }
    #expect(rewritten("10.1.0.5", 6379) == "127.0.0.1 16379")
    #expect(rewritten("10.1.0.5", 6380) == "nat.example.org 6380")
    #expect(rewritten("redis-3.internal", 6379) == "redis-3.internal 16380")
    #expect(rewritten("10.2.0.1", 6379) == "10.2.0.1 6379")
  }

  @Test func watchesAreOnOrOff() throws {
    func on(_ kind: String, _ watches: String) throws -> [String] {
      try Self.workload(kind, "watches: \(watches)").watches.on.map { type(of: $0).block }
    }
    #expect(try on("cache", "{}") == [])
    #expect(try on("queue", "{}") == ["stuck"])
    #expect(try on("cache", "{stuck: {patterns: []}}") == [])
    #expect(
      try on("cache", "{stuck: {patterns: ['a*']}, rates: [{name: a, enabled: false}, {name: b}]}") == [
        "stuck", "rates",
      ])
    let plain = try Self.workload("queue").watches
    #expect(try plain == Self.workload("queue", "watches: {interval: 15s, stuck: {enabled: true}}").watches)
    #expect(try plain != Self.workload("queue", "watches: {stuck: {age: 61s}}").watches)
  }

  // MARK: Reload

  @Test func changesAreFoundByWorkload() throws {
    func fleet(_ workloads: [String], _ top: String = "") throws -> FleetConfig {
      try Self.read(top + "workloads:\n" + workloads.map { "  - {\($0)}\n" }.joined())
    }
    let a = "name: a, kind: cache, seeds: [h]"
    let b = "name: b, kind: cache, seeds: [h]"
    let old = try fleet([a, b])
    #expect(try fleet([b, a]).changes(from: old).isEmpty)
    let changes = try fleet([a, b + ", poll_interval: 1s", "name: c, kind: cache, seeds: [h]"]).changes(from: old)
    #expect(changes.unchanged == ["a"] && changes.changed.map(\.name) == ["b"])
    #expect(changes.added.map(\.name) == ["c"] && changes.removed.isEmpty)
    #expect(try fleet([b]).changes(from: old).removed == ["a"])
    #expect(try fleet([a, b], "defaults: {timeout: 3s}\n").changes(from: old).changed.count == 2)
    #expect(try fleet([a + ", timeout: 2s", b], "maintenance: []\n").changes(from: old).isEmpty)
  }

  // MARK: Flags beside the file

  static let contradictions: [(String, [String: String], [String])] = [
    ("-redis.addr=a", [:], []),
    ("-config.file=f", [:], []),
    (
      "-config.file=f -redis.addr=a", [:],
      [
        "flag -redis.addr: contradicts config.file, which describes every server; write workloads[].seeds there instead"
      ]
    ),
    ("-config.file=f -redis.addr= -is-cluster=false -namespace=x", [:], []),
    (
      "-config.file=f -is-cluster", [:],
      [
        "flag -is-cluster: contradicts config.file, which describes every server; write workloads[].topology there instead"
      ]
    ),
    (
      "-check-keys=a", ["REDLINE_CONFIG_FILE": "f", "REDIS_PASSWORD": "hunter2"],
      [
        "environment variable REDIS_PASSWORD: contradicts config.file, which describes every server; "
          + "write workloads[].credentials there instead",
        "flag -check-keys: contradicts config.file, which describes every server; leave it out",
      ]
    ),
  ]

  @Test(arguments: contradictions)
  func flagsThatContradictAreNamed(line: String, environment: [String: String], expected: [String]) throws {
    let words = line.split(separator: " ").map(String.init)
    #expect(try FlagContradictions.find(words, environment: environment).map(\.description) == expected)
  }

  @Test func everyContradictingFlagExists() {
    let names = Set(Flags.all.map(\.name))
    #expect(FlagContradictions.flags.allSatisfy { names.contains($0.name) })
  }
}
