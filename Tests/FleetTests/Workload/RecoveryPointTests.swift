import Redis
import Runtime
import Testing

@testable import Fleet

@Suite struct RecoveryPointTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let facts: PersistenceFacts
    var isDelayed = false
    let basis: RecoveryPoint.Basis
    let seconds: Double
  }

  @Test(arguments: [
    Case(
      testDescription: "always", facts: .init(isAOFEnabled: true, appendFsync: .always), basis: .aofAlways, seconds: 0),
    Case(
      testDescription: "everysec", facts: .init(isAOFEnabled: true, appendFsync: .everysec), basis: .aofEverysec,
      seconds: 1),
    Case(
      testDescription: "delayed", facts: .init(isAOFEnabled: true, appendFsync: .everysec), isDelayed: true,
      basis: .aofDelayed,
      seconds: 2),
    Case(testDescription: "no CONFIG", facts: .init(isAOFEnabled: true), basis: .aofEverysec, seconds: 1),
    Case(testDescription: "no fsync", facts: .init(isAOFEnabled: true, appendFsync: .no), basis: .aofNo, seconds: 30),
    Case(
      testDescription: "write error", facts: .init(isAOFEnabled: true, appendFsync: .everysec, isAOFWriteOK: false),
      basis: .aofError, seconds: .infinity),
    Case(
      testDescription: "just saved", facts: .init(changesSinceSave: 0, lastSaveSeconds: 10, hasSaved: true),
      basis: .rdbClean,
      seconds: 0),
    Case(
      testDescription: "nothing written since an old dump",
      facts: .init(changesSinceSave: 0, lastSaveSeconds: -90_000, hasSaved: true), basis: .rdbClean, seconds: 0),
    Case(
      testDescription: "writes since the dump", facts: .init(changesSinceSave: 3, lastSaveSeconds: 400, hasSaved: true),
      basis: .rdb, seconds: 600),
    Case(
      testDescription: "by the server's own clock",
      facts: .init(changesSinceSave: 3, lastSaveSeconds: 400, hasSaved: true, serverSeconds: 500), basis: .rdb,
      seconds: 100),
    Case(
      testDescription: "never saved",
      facts: .init(hasSaveRules: true, changesSinceSave: 3, lastSaveSeconds: 999, uptimeSeconds: 77),
      basis: .rdbNever, seconds: 77),
    Case(
      testDescription: "no persistence", facts: .init(hasSaveRules: false, changesSinceSave: 3, uptimeSeconds: 77),
      basis: .none,
      seconds: 77),
    Case(
      testDescription: "no rules but saved by hand",
      facts: .init(hasSaveRules: false, changesSinceSave: 3, lastSaveSeconds: 990, hasSaved: true), basis: .rdb,
      seconds: 10),
  ])
  func crash(_ example: Case) {
    let point = RecoveryPoint(crashOf: example.facts, isFsyncDelayed: example.isDelayed, nowSeconds: 1000)
    #expect(point.basis == example.basis && point.seconds == example.seconds)
  }

  static func facts(_ lines: String, appendFsync: String? = nil, save: String? = nil) -> PersistenceFacts {
    PersistenceFacts(InfoText(bytes: Array(lines.utf8)), appendFsync: appendFsync, save: save)
  }

  /// `rdb_last_save_time` is the time of the start where nothing was saved.
  @Test(arguments: [
    ("rdb_saves:1\nrdb_last_save_time:950\nuptime_in_seconds:50\nserver_time_usec:1000000000\n", true),
    ("rdb_saves:0\nrdb_last_save_time:950\nuptime_in_seconds:50\nserver_time_usec:1000000000\n", false),
    ("rdb_last_save_time:950\nuptime_in_seconds:50\nserver_time_usec:1000000000\nrdb_last_bgsave_time_sec:0\n", true),
    ("rdb_last_save_time:950\nuptime_in_seconds:50\nserver_time_usec:1000000000\nrdb_last_bgsave_time_sec:-1\n", false),
    ("rdb_last_save_time:970\nuptime_in_seconds:50\nserver_time_usec:1000000000\nrdb_last_bgsave_time_sec:-1\n", true),
    ("", false),
  ])
  func neverSavedIsToldApartFromJustSaved(lines: String, hasSaved: Bool) {
    #expect(Self.facts(lines).hasSaved == hasSaved)
  }

  @Test func configurationIsRead() {
    #expect(Self.facts("aof_enabled:1\n", appendFsync: "always").appendFsync == .always)
    #expect(Self.facts("", appendFsync: "sometimes").appendFsync == nil)
    #expect(Self.facts("", save: "").hasSaveRules == false && Self.facts("", save: "3600 1").hasSaveRules == true)
    #expect(Self.facts("").hasSaveRules == nil)
    #expect(
      !Self.facts("aof_last_write_status:err\n").isAOFWriteOK
        && !Self.facts("rdb_last_bgsave_status:err\n").isLastSaveOK)
  }

  @Test(arguments: GoldenTests.servers)
  func capturedServersHaveABound(server: String) throws {
    let reply = try Replies.read(try #require(Fixture.bytes("servers/\(server)/info-all.resp")))[0]
    let facts = PersistenceFacts(InfoText(try #require(reply.bytes)))
    let point = RecoveryPoint(crashOf: facts, isFsyncDelayed: false, nowSeconds: Fixture.now.seconds)
    #expect(point.seconds.isFinite && point.seconds >= 0)
  }
}
