import Config
import Glibc
import Logging
import Metrics
import Runtime
import Storage
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct CheckReportStoreTests {
  /// A daemon's part with its folder, its file and a clock.
  private final class Site: Sendable {
    /// At each look at the clock.
    let tickSeconds: Double
    let folder = TemporaryFolder()
    let now = Lock(CheckReportTests.now)
    let registry = Registry()
    let verified: String

    init(_ verified: String = "{backup: 31d, failover: 92d}", tickSeconds: Double = 0) {
      (self.verified, self.tickSeconds) = (verified, tickSeconds)
    }

    var results: String { folder.path + "/results" }

    func config(_ verified: String? = nil) throws -> FleetConfig {
      let text = """
        workloads:
          - {name: carts, kind: queue, seeds: [a], environment: test, objectives: {verified: \(verified ?? self.verified)}}
          - {name: pages, kind: cache, seeds: [b]}
        results: {path: \(results)}
        """
      return try FleetConfig.parse(Array(text.utf8), file: "redline.yml")
    }

    func open() async throws -> Store { try await Store.open(folder.path + "/redline.db", notice: { _ in }) }

    func start(_ store: Store?) async throws -> CheckReportStore {
      let started = CheckReportStore(
        try config(), file: "/etc/redline.yml", store: store, registry: registry,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        clock: {
          // Time goes on.
          self.now.withLock { now in
            now = now + self.tickSeconds
            return now - self.tickSeconds
          }
        })
      await started.start()
      await started.look()
      return started
    }

    func names() -> [String] { SmallFile.names(inDirectory: results, limit: 100).sorted() }

    func leave(_ text: String, as name: String) {
      let file = unsafe fopen("\(results)/\(name)", "w")
      _ = unsafe fputs(text, file)
      _ = unsafe fclose(file)
    }

    var page: [String] {
      let text = String(decoding: Exposition().page(registry.page().sources), as: UTF8.self)
      return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    func pass(_ seconds: Double) { now.withLock { $0 = $0 + seconds } }
  }

  private static func report(
    _ check: String = "backup", _ workload: String = "carts", _ verdict: CheckResult.Answer = .ok, ago: Double = 10,
    numbers: [String: Double] = [:]
  ) -> CheckReport {
    let end = CheckReportTests.now - ago
    return CheckReport(
      check: check, workload: workload, startedAt: end - 60, endedAt: end, verdict: verdict, numbers: numbers)
  }

  @Test func whatIsLeftIsTakenOnceAndOutlivesTheProcess() async throws {
    let site = Site(tickSeconds: 1)
    var store = try await site.open()
    var reports = try await site.start(store)
    let report = Self.report(numbers: [
      "keys_db0": 141_000, "keys_db12": 3, "keys_without_ttl": 5, "load_seconds": 12.5,
    ])
    try await CheckReportFolder.write(report, to: site.results)
    await reports.look()
    #expect(site.names().isEmpty)
    let expected = [
      #"redis_objective_check_age_seconds{check="backup",workload="carts",environment="test"} 2678400"#,
      #"redis_objective_check_age_seconds{check="drill",workload="carts",environment="test"} 7948800"#,
      #"redis_objective_check_since_timestamp_seconds{check="backup",workload="carts",environment="test"} 1800000000"#,
      #"redis_objective_check_since_timestamp_seconds{check="drill",workload="carts",environment="test"} 1800000000"#,
      #"redis_workload_backup_keys{db="db0",workload="carts",environment="test"} 141000"#,
      #"redis_workload_backup_keys{db="db12",workload="carts",environment="test"} 3"#,
      #"redis_workload_backup_load_seconds{workload="carts",environment="test"} 12.5"#,
      #"redis_workload_check_last_timestamp_seconds{check="backup",workload="carts",environment="test"} 1799999990"#,
      #"redis_workload_check_passed{check="backup",workload="carts",environment="test"} 1"#,
    ]
    #expect(site.page == expected)
    // Without a last write, as after kill -9.
    await store.close()
    store = try await site.open()
    site.pass(1000)
    reports = try await site.start(store)
    #expect(site.page == expected)
    #expect(await reports.newest(CheckResultQuery()) == [report])
    // The file was imported, but could not be removed before the process ended.
    try await CheckReportFolder.write(report, to: site.results)
    await reports.look()
    #expect(await reports.newest(CheckResultQuery()) == [report])
    await store.close()
  }

  @Test func aBadFileIsSetAsideOnceItStaysAsItIs() async throws {
    let site = Site()
    let reports = try await site.start(nil)
    site.leave(#"{"check": "backup", "workload": "car"#, as: "cut.json")
    let foreign = Self.report("backup", "others")
    try await CheckReportFolder.write(foreign, to: site.results, random: { 1 })
    try await CheckReportFolder.write(Self.report(), to: site.results)
    _ = unsafe mkdir(site.results + "/folder.json", 0o755)
    _ = unsafe mkfifo(site.results + "/pipe.json", 0o644)
    site.leave("half", as: "x.partial")
    await reports.look()
    // A good one does not wait for the bad ones, and nothing is judged while it may still be written.
    #expect(await reports.states().first?.newest == Self.report())
    #expect(await reports.refused.isEmpty)
    #expect(site.names().count == 5)
    await reports.look()
    let refused = await reports.refused
    #expect(
      refused.map(\.name) == [
        "backup-others-1799999990-0000000000000001.json", "cut.json", "folder.json", "pipe.json",
      ])
    #expect(refused[0].reason == #"workload: "others" is none of this daemon; it has carts, pages"#)
    #expect(refused[1].reason.hasPrefix("the result is no JSON: 1:"))
    #expect(refused[3].reason == "it is a FIFO, not a regular file")
    await reports.look()
    #expect(await reports.refused == refused)
    #expect(site.names().filter { $0.hasSuffix(".bad") }.count == 4)
    // What a command left that was killed goes in the end; what is still written to stays.
    site.pass(3601)
    await reports.look()
    #expect(!site.names().contains("x.partial"))
  }

  @Test func theNewestVerdictCountsAndUnknownDecidesNothing() async throws {
    let site = Site()
    let reports = try await site.start(nil)
    try await reports.take(Self.report("backup", ago: 100))
    try await reports.take(Self.report("backup", "carts", .finding, ago: 500))
    try await reports.take(Self.report("backup", "carts", .unknown, ago: 5))
    let state = try #require(await reports.states().first)
    #expect(state.newest?.verdict == .unknown && state.decisive?.verdict == .ok)
    #expect(site.page.contains(#"redis_workload_check_passed{check="backup",workload="carts",environment="test"} 1"#))
    try await reports.take(Self.report("backup", "carts", .finding, ago: 1))
    #expect(site.page.contains(#"redis_workload_check_passed{check="backup",workload="carts",environment="test"} 0"#))
  }

  @Test func overdueBeginsWithTheObjectiveAndEndsWithARun() async throws {
    let site = Site()
    let store = try await site.open()
    let reports = try await site.start(store)
    func overdue(_ check: String) async -> Double? {
      let now = site.now.withLock { $0 }
      return await reports.states().first { $0.check == check }?.overdueSeconds(at: now)
    }
    site.pass(3600)
    #expect(await overdue("drill") == 3600)
    // Another age is the same objective; what was off starts again.
    await reports.apply(try site.config("{failover: 1d}"))
    #expect(await overdue("drill") == 3600)
    #expect(await reports.states().map(\.check) == ["drill"])
    try await reports.take(Self.report("drill", ago: 0))
    #expect(await overdue("drill") == nil)
    site.pass(86_400)
    #expect(await overdue("drill") == 3600)
    await reports.apply(try site.config("{failover: off}"))
    #expect(await overdue("drill") == nil)
    #expect(!site.page.contains { $0.contains("objective") })
    await reports.apply(try site.config("{load: 30d}"))
    site.pass(60)
    #expect(await overdue("load") == 60)
    let command = await reports.states().first { $0.check == "drill" }?.command
    #expect(command == "redline drill /etc/redline.yml --workload carts --fault planned")
    await store.close()
  }

  @Test func namesOfChecksAreBounded() async throws {
    let site = Site("{}")
    let reports = try await site.start(nil)
    for number in 0..<CheckTracker.checkLimit { try await reports.take(Self.report("own-\(number)")) }
    await #expect(throws: CheckReportStore.Refusal.self) { try await reports.take(Self.report("own-50")) }
    try await reports.take(Self.report("own-7", ago: 1))
    try await reports.take(Self.report("own-50", "pages"))
  }
}
