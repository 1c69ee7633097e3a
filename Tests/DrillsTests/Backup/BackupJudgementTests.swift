import Fleet
import Runtime
import Testing

@testable import Drills

@Suite struct BackupJudgementTests {
  private static let now = WallTime(seconds: 1_790_000_600)

  private static func contents(_ keys: [Int: Int], prefixes: [String: Int] = ["session:": 90, "queue:": 10])
    -> BackupContents
  {
    var contents = BackupContents()
    contents.databases = keys.mapValues { BackupContents.Database(keys: $0, expiring: $0 / 10) }
    (contents.lookedAt, contents.prefixes, contents.types, contents.isWhole) = (100, prefixes, ["string": 100], true)
    return contents
  }

  /// A good one, ten minutes old.
  private static func good() throws -> (BackupFacts, BackupBaseline) {
    var facts = BackupFacts()
    facts.title = "dump.rdb"
    facts.header = try RDBHeader(RDBHeaderTests.file())
    (facts.sizeBytes, facts.writtenAt, facts.server, facts.isChecked) = (
      5 << 20, now - 600, "redis-server 7.0.15", true
    )
    (facts.loadSeconds, facts.contents) = (12, contents([0: 141_000]))
    var baseline = BackupBaseline()
    baseline.history = [0: 140_000...141_000]
    baseline.servers = [
      LiveServer(
        instance: "a:6379", isMaster: true, replicationIDs: [RDBHeaderTests.id], replicationOffset: 15_759_519 + 4096,
        startedAt: now - 90_000, keys: [0: 141_500])
    ]
    baseline.last = LastBackup(at: now - 86_400, keys: [0: 140_000], prefixShares: ["session:": 0.9, "queue:": 0.1])
    return (facts, baseline)
  }

  private static func judged(
    maxAge: Duration? = .seconds(3600), _ change: (inout BackupFacts, inout BackupBaseline) throws -> Void = { _, _ in }
  ) throws -> BackupJudgement {
    var (facts, baseline) = try good()
    try change(&facts, &baseline)
    return BackupJudgement(facts, baseline, workload: "carts", maxLoad: .seconds(600), maxAge: maxAge, now: now)
  }

  /// Findings and unknown ones, as `check: name`.
  private static func told(_ judgement: BackupJudgement) -> [String] {
    judgement.results.filter { $0.answer != .ok }.map {
      "\($0.check) \($0.answer.rawValue) \(($0.reason ?? $0.text).split(separator: ":")[0])"
    }
  }

  @Test func aGoodOneIsGood() throws {
    let judgement = try Self.judged()
    #expect(Self.told(judgement) == [])
    #expect(judgement.results.count == BackupJudgement.Subject.allCases.count)
    let report = judgement.report(since: Self.now - 30)
    #expect(report.verdict == .ok && report.check == "backup" && report.workload == "carts")
    #expect(
      report.numbers == [
        "keys": 141_000, "keys_db0": 141_000, "without_ttl_keys": 126_900, "load_seconds": 12, "size_bytes": 5_242_880,
        "age_seconds": 600, "behind_seconds": 600, "behind_bytes": 4096,
      ])
    #expect(try CheckReport(json: report.json, now: Self.now).numbers == report.numbers)
  }

  @Test func theRPOIsFromTheOffsetWhereTheDaemonKnowsIt() throws {
    let judgement = try Self.judged { $1.offsetReachedAt = Self.now - 590 }
    #expect(judgement.numbers["behind_seconds"] == 590)
    #expect(judgement.remarks.contains { $0.contains("by its offset in the stream of writes") })
  }

  @Test func keysThatDifferFromHistoryAreTold() throws {
    // One of 141,000 in 100 is tolerated, beyond what changed between polls.
    #expect(try Self.told(Self.judged { facts, _ in facts.contents = Self.contents([0: 142_400]) }) == [])
    #expect(
      try Self.told(Self.judged { facts, _ in facts.contents = Self.contents([0: 142_500]) })
        == ["backup-keys finding keys-differ"])
    #expect(try Self.told(Self.judged { facts, _ in facts.contents = Self.contents([0: 138_700]) }) == [])
    #expect(
      try Self.told(Self.judged { facts, _ in facts.contents = Self.contents([0: 138_000]) })
        == ["backup-keys finding keys-differ"])
    #expect(
      try Self.told(Self.judged { facts, _ in facts.contents = Self.contents([0: 141_000, 4: 1]) })
        == ["backup-keys finding keys-differ"])
    // Of one master among several, and where nobody knows, nothing is compared.
    for change in [{ $0.isSharded = true }, { $0.history = nil }] as [(inout BackupBaseline) -> Void] {
      let judgement = try Self.judged { facts, baseline in
        facts.contents = Self.contents([0: 5])
        change(&baseline)
      }
      #expect(Self.told(judgement) == [])
      #expect(judgement.results.contains { $0.check == "backup-keys" && $0.text.hasPrefix("not compared") })
    }
  }

  @Test func oneThatIsEmptyIsTold() throws {
    func told(_ change: @escaping (inout BackupBaseline) -> Void) throws -> [String] {
      try Self.told(
        Self.judged { facts, baseline in
          facts.contents = Self.contents([:])
          change(&baseline)
        })
    }
    let name = "backup-keys-present finding no-keys"
    #expect(try told { _ in }.contains(name))
    #expect(try told { ($0.history, $0.last) = (nil, nil) }.contains(name))
    #expect(try told { ($0.history, $0.servers) = (nil, []) }.contains(name))
    #expect(
      try told { ($0.history, $0.last, $0.servers) = (nil, nil, []) } == [
        "backup-keys-present unknown it holds no key, and whether there should be any is not known"
      ])
  }

  @Test func aPrefixThatIsGoneIsTold() throws {
    #expect(
      try Self.told(
        Self.judged { facts, _ in facts.contents = Self.contents([0: 141_000], prefixes: ["session:": 100]) })
        == ["backup-prefixes finding prefix-gone"])
    #expect(
      try Self.told(
        Self.judged { facts, baseline in
          facts.contents = Self.contents([0: 141_000], prefixes: ["session:": 100])
          baseline.last = LastBackup(at: Self.now, keys: [:], prefixShares: ["session:": 0.9, "queue:": 0.04])
        }) == [])
  }

  @Test func ageAndLoadHaveTheirLimits() throws {
    #expect(try Self.told(Self.judged(maxAge: .seconds(599))) == ["backup-age finding too-old"])
    #expect(try Self.told(Self.judged(maxAge: nil)) == [])
    #expect(try Self.told(Self.judged { facts, _ in facts.loadSeconds = 601 }) == ["backup-load-time finding slow"])
  }

  @Test func aStrangeStreamIsToldWhereItCanBeKnown() throws {
    func told(_ change: (inout LiveServerParts) -> Void) throws -> [String] {
      var parts = LiveServerParts()
      change(&parts)
      return try Self.told(Self.judged { $1.servers = parts.servers })
    }
    let strange = ["backup-stream finding foreign-repl-id"]
    #expect(try told { $0.ids = ["other"] } == strange)
    // The master was started after the file: its id is new.
    #expect(try told { ($0.ids, $0.startedAt) = (["other"], Self.now - 60) } == [])
    #expect(try told { ($0.ids, $0.startedAt) = (["other"], nil) } == [])
    #expect(try told { $0.ids = ["other", RDBHeaderTests.id] } == [])
    #expect(try Self.told(Self.judged { $1.servers = [] }) == [])
  }

  private struct LiveServerParts {
    var ids: Set<String> = [RDBHeaderTests.id]
    var startedAt: WallTime? = BackupJudgementTests.now - 90_000
    var servers: [LiveServer] {
      [
        LiveServer(
          instance: "a:6379", isMaster: true, replicationIDs: ids, replicationOffset: 1, startedAt: startedAt,
          keys: [0: 141_000])
      ]
    }
  }

  @Test(arguments: BackupTrouble.Kind.allCases)
  func eachTroubleIsToldByItsNameAndDecides(_ kind: BackupTrouble.Kind) throws {
    let judgement = try Self.judged { facts, _ in
      (facts.trouble, facts.contents, facts.loadSeconds) = (BackupTrouble(kind, "why"), nil, nil)
    }
    let told = judgement.results.filter { ($0.reason ?? $0.text) == "\(kind.rawValue): why" }
    #expect(told.count == 1)
    #expect(told.first?.answer == (kind.isUnknown ? .unknown : .finding))
    #expect(told.first?.severity == (kind.isUnknown ? nil : kind.isFatal ? .critical : .warning))
    #expect(judgement.report(since: Self.now).verdict == (kind.isUnknown ? .unknown : .finding))
    #expect(!judgement.results.contains { $0.check == "backup-keys" && $0.answer == .ok })
  }
}
