import Logging
import Metrics
import Runtime
import Storage
import TestSupport
import Testing

@testable import Fleet

/// What the runner keeps, and what no job can do to it.
@Suite(.timeLimit(.minutes(1))) struct JobRunnerTests {
  /// A job that does what a test says.
  private struct Sample: Job {
    var name = "sample"
    var schedule = JobSchedule.onDemand
    var limit: Duration = .seconds(60)
    let body: @Sendable (JobContext) async throws -> [JobReport]

    var families: [Family] { [Self.found] }
    static let found = Family.gauge("test_job_found", "What the job found.")

    func run(_ context: JobContext) async throws -> [JobReport] { try await body(context) }
    func add(_ reports: [JobReport], into sink: inout SampleSink) {
      sink.add(Self.found, reports.compactMap { $0.numbers["found"] }.reduce(0, +))
    }
  }

  private struct Fault: Error, CustomStringConvertible { let description: String }

  private final class Fixture: Sendable {
    let folder = TemporaryFolder()
    let samples = Lock(Samples.none)
    let now = Lock(WallTime(seconds: 1_800_000_000))

    func store() async throws -> Store { try await Store.open(folder.path + "/redline.db", notice: { _ in }) }

    func runner(_ jobs: [any Job], _ store: Store?) async -> JobRunner {
      let runner = JobRunner(
        jobs, store: store, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        clock: { self.now.withLock { $0 } },
        publish: { samples in self.samples.withLock { $0 = samples } })
      await runner.start()
      return runner
    }

    var page: [String] {
      let page = Exposition().page([samples.withLock { $0 }])
      return String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }
  }

  @Test(arguments: [false, true])
  func aResultIsKept(isDurable: Bool) async throws {
    let fixture = Fixture()
    let store = isDurable ? try await fixture.store() : nil
    let runner = await fixture.runner(
      [
        Sample { context in
          fixture.now.withLock { $0 = $0 + 2 }
          return [
            JobReport(workload: "w", numbers: ["found": 3, "odd": .nan], lines: ["\"a\""]),
            JobReport(workload: "v", numbers: ["found": 4]),
          ]
        }
      ], store)
    #expect(fixture.page.contains("redis_exporter_job_running{task=\"sample\"} 0"))
    #expect(!fixture.page.contains { $0.contains("timestamp") })
    #expect(await runner.run("sample") == .succeeded)
    #expect(await runner.run("another") == nil)
    let results = await runner.newestResults()
    #expect(results.map(\.workload) == ["v", "w"])
    #expect(results.last?.report == #"{"numbers":{"found":3},"lines":["\"a\""]}"#)
    #expect(results.allSatisfy { $0.startedAtMs == 1_800_000_000_000 && $0.endedAtMs == 1_800_000_002_000 })
    for line in [
      "redis_exporter_job_last_duration_seconds{task=\"sample\"} 2", "redis_test_job_found 7",
      "redis_exporter_job_runs_total{task=\"sample\",outcome=\"succeeded\"} 1",
      "redis_exporter_job_runs_total{task=\"sample\",outcome=\"failed\"} 0",
      "redis_exporter_job_last_success_timestamp_seconds{task=\"sample\"} 1800000002",
    ] {
      #expect(fixture.page.contains(line), "\(line)")
    }
  }

  @Test func whatARunFoundIsShownAfterARestart() async throws {
    let fixture = Fixture()
    let job = Sample { _ in
      [JobReport(workload: "w", numbers: ["found": 3], lines: ["a"]), JobReport(workload: "v", numbers: ["found": 4])]
    }
    let store = try await fixture.store()
    let runner = await fixture.runner([job], store)
    #expect(await runner.run("sample") == .succeeded)
    await runner.stop()
    await store.close()
    fixture.samples.withLock { $0 = .none }
    let next = try await fixture.store()
    _ = await fixture.runner([job], next)
    #expect(fixture.page.contains("redis_test_job_found 7"))
    let kept = await next.jobResults.newest().map { JobReport($0) }
    #expect(kept.last == JobReport(workload: "w", numbers: ["found": 3], lines: ["a"]))
    await next.close()
  }

  @Test func whatFailsIsSaidAndHarmsNoOther() async throws {
    let fixture = Fixture()
    let long = String(repeating: "x", count: StoreLimits.reportBytes)
    let runner = await fixture.runner(
      [
        Sample(name: "throws") { _ in throw Fault(description: "no disk") },
        Sample(name: "long") { _ in [JobReport(lines: [long])] },
        Sample(name: "many") { _ in (0...JobRunner.reportLimit).map { JobReport(workload: "\($0)") } },
        Sample(name: "good") { _ in [] },
      ], nil)
    for name in ["throws", "long", "many"] { #expect(await runner.run(name) == .failed, "\(name)") }
    #expect(await runner.run("good") == .succeeded)
    let results = await runner.newestResults()
    #expect(results.map(\.job) == ["good", "many", "long", "throws"])
    #expect(results.last?.report == #"{"numbers":{},"lines":["no disk"]}"#)
    #expect(results[2].report.contains("at most 65536 are kept") && results[1].report.contains("101 reports"))
    #expect(!fixture.page.contains { $0.hasPrefix("redis_exporter_job_last_success") && $0.contains("throws") })
  }

  /// It is given up at its limit, and neither started a second time nor waited for, but may still end.
  @Test func aJobThatHangsIsGivenUp() async throws {
    let fixture = Fixture()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let runCount = Lock(0)
    let hanging = Sample(name: "hangs", limit: .milliseconds(1)) { _ in
      runCount.withLock { $0 += 1 }
      // Deaf to being cancelled.
      await Task { for await _ in gate {} }.value
      return [JobReport(numbers: ["found": 1])]
    }
    let runner = await fixture.runner([hanging, Sample(name: "good") { _ in [] }], nil)
    #expect(await runner.run("hangs") == .timedOut)
    #expect(await runner.run("hangs") == nil)
    #expect(await runner.run("good") == .succeeded)
    #expect(runCount.withLock { $0 } == 1)
    open.finish()
    var outcome: JobResult.Outcome?
    while outcome == nil {
      await Task.yield()
      outcome = await runner.run("hangs")
    }
    // What came after the limit is no result of the run that was given up.
    #expect(await runner.newestResults(JobResultQuery(job: "hangs")).map(\.outcome).last == .timedOut)
    #expect(runCount.withLock { $0 } == 2)
  }

  @Test func theEndCancelsWhatRuns() async throws {
    let fixture = Fixture()
    let store = try await fixture.store()
    let (started, begin) = AsyncStream.makeStream(of: Void.self)
    let runner = await fixture.runner(
      [
        Sample { _ in
          begin.finish()
          try await Task.sleep(for: .seconds(3600))
          return []
        }
      ], store)
    async let outcome = runner.run("sample")
    for await _ in started {}
    await runner.stop()
    #expect(await outcome == .interrupted)
    #expect(await runner.run("sample") == nil)
    await store.close()
    // Nothing is left that the next start would take for a run that was cut off.
    let again = try await fixture.store()
    _ = await fixture.runner([Sample { _ in [] }], again)
    #expect(await again.jobResults.newest().map(\.outcome) == [.interrupted])
  }

  /// The process ends in the middle of a run: the next start says so, and the job has its turn again.
  @Test func aRunThatWasCutOffLeavesAResult() async throws {
    let fixture = Fixture()
    let store = try await fixture.store()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let (started, begin) = AsyncStream.makeStream(of: Void.self)
    let runner = await fixture.runner(
      [
        Sample { _ in
          begin.finish()
          await Task { for await _ in gate {} }.value
          return []
        }
      ], store)
    let work = Task { await runner.run("sample") }
    for await _ in started {}
    await store.close()
    // What the old process would still say is lost, as it is when it is killed.
    open.finish()
    _ = await work.value

    let next = try await fixture.store()
    fixture.now.withLock { $0 = $0 + 100 }
    let again = await fixture.runner([Sample { _ in [] }], next)
    let results = await again.newestResults()
    #expect(results.map(\.outcome) == [.interrupted] && results.first?.startedAtMs == 1_800_000_000_000)
    #expect(!fixture.page.contains { $0.hasPrefix("redis_exporter_job_last_duration_seconds") })
    #expect(await again.run("sample") == .succeeded)
    await next.close()
    let last = try await fixture.store()
    _ = await fixture.runner([Sample { _ in [] }], last)
    #expect(await last.jobResults.newest().map(\.outcome) == [.succeeded, .interrupted])
    #expect(fixture.page.contains("redis_exporter_job_last_success_timestamp_seconds{task=\"sample\"} 1800000100"))
  }

  @Test func retentionSaysHowManyRowsWent() async throws {
    let fixture = Fixture()
    let store = try await fixture.store()
    let now = WallTime.now
    store.events.append(Event(at: now - 100 * 86_400, workload: "w", kind: .failover, summary: "old"))
    store.events.append(Event(at: now, workload: "w", kind: .failover, summary: "new"))
    #expect(await store.flush())
    let runner = await fixture.runner(JobCatalogue.all, store)
    #expect(await runner.run("retention") == .succeeded)
    #expect(await store.events.newest().map(\.summary) == ["new"])
    #expect(
      await runner.newestResults().first?.report
        == #"{"numbers":{"budgets":0,"events":1,"evidence":0,"history_frames":0,"history_series":0,"marks":0,"notifications":0},"lines":[]}"#
    )
    #expect(fixture.page.contains("redis_exporter_storage_removed_rows{table=\"events\"} 1"))
  }

  @Test func withoutAFileRetentionSaysThatThereIsNothing() async throws {
    let fixture = Fixture()
    let runner = await fixture.runner(JobCatalogue.all, nil)
    #expect(await runner.run("retention") == .succeeded)
    #expect(await runner.newestResults().first?.report.contains("nothing is kept without storage.path") == true)
    #expect(!fixture.page.contains { $0.hasPrefix("redis_exporter_storage_removed_rows") })
  }
}
