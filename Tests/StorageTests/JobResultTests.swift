import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct JobResultTests {
  @Test func everyFieldIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    let first = JobResult(
      job: "audit", workload: "sessions", startedAtMs: 1, endedAtMs: 5, outcome: .timedOut, report: #"{"lines":["é"]}"#)
    let second = JobResult(job: "retention", startedAtMs: 7, endedAtMs: 7, outcome: .succeeded, report: "{}")
    var store = try await scratch.open()
    store.jobResults.append([first, second])
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    var kept = await store.jobResults.newest()
    #expect(kept.map(\.id) == [2, 1])
    for index in kept.indices { kept[index].id = 0 }
    #expect(kept == [second, first])
  }

  @Test(arguments: [false, true])
  func queries(isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.jobResults.append([.sample("a", workload: "w", at: 1), .sample("b", at: 2)])
    #expect(await store.flush())
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    store.jobResults.append([.sample("a", .failed, workload: "v", at: 3), .sample("a", at: 4)])
    func times(_ query: JobResultQuery) async -> [Int64] { await store.jobResults.newest(query).map(\.startedAtMs) }
    #expect(await times(JobResultQuery()) == [4, 3, 2, 1])
    #expect(await times(JobResultQuery(job: "a")) == [4, 3, 1])
    #expect(await times(JobResultQuery(job: "a", workload: "w")) == [1])
    #expect(await times(JobResultQuery(job: "a", outcome: .succeeded, limit: 1)) == [4])
    #expect(await times(JobResultQuery(limit: -1)) == [4])
    if isUnwritten { try holder.execute("ROLLBACK") }
  }

  /// Of 1,000 results, a job that runs all the time does not take the room of one that runs once a month.
  @Test func theJobWithTheMostLosesItsOldest() async throws {
    let store = try await Scratch().open()
    store.jobResults.append([.sample("monthly", at: 1), .sample("monthly", at: 2)])
    #expect(await store.flush())
    for round in 0..<12 {
      store.jobResults.append((0..<100).map { .sample("often", at: 10 + Int64(round) * 100 + $0) })
      #expect(await store.flush())
    }
    let kept = await store.jobResults.newest(JobResultQuery(limit: .max))
    #expect(kept.count == StoreLimits.jobResults)
    #expect(kept.suffix(2).map(\.startedAtMs) == [2, 1])
    #expect(kept.filter { $0.job == "often" }.last?.startedAtMs == 212)
  }

  @Test func memoryIsBounded() {
    var records = StoreRecords(pendingLimit: 3)
    records.append((1...150).map { JobResult.sample("a", at: $0) })
    #expect(records.jobResults.records.map(\.startedAtMs) == Array(51...150) && records.jobResults.droppedCount == 50)
    let batch = records.batch()
    records.append([JobResult.sample("a", at: 200)])
    records.settle(batch, prunedKeys: [])
    #expect(records.jobResults.records.map(\.startedAtMs) == [200])
    let long = String(repeating: "x", count: StoreLimits.reportBytes + 1)
    let result = JobResult(job: long, workload: long, startedAtMs: 1, endedAtMs: 1, outcome: .failed, report: long)
    #expect(result.report == #"{"omitted_bytes":"65537"}"#)
    #expect(
      result.job.utf8.count <= StoreLimits.nameBytes && (result.workload?.utf8.count ?? 0) <= StoreLimits.nameBytes)
  }

  /// What cannot be removed now is an error, so that it is tried again.
  @Test func aFileThatCannotBeWrittenIsAnError() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    try holder.execute("BEGIN IMMEDIATE")
    await #expect(throws: StoreError.self) { try await store.removeOld() }
    #expect(!store.health.isDurable)
    try holder.execute("ROLLBACK")
    #expect(try await store.removeOld()["events"] == 0)
    await store.close()
    await #expect(throws: StoreError.self) { try await store.removeOld() }
  }
}

extension JobResult {
  static func sample(
    _ job: String, _ outcome: Outcome = .succeeded, workload: String? = nil, at startedAtMs: Int64 = 1_799_999_000_000
  ) -> JobResult {
    JobResult(
      job: job, workload: workload, startedAtMs: startedAtMs, endedAtMs: startedAtMs, outcome: outcome, report: "{}")
  }
}
