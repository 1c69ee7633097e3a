import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct CheckResultTests {
  @Test func everyFieldIsThereAfterAReopenAndARunIsKeptOnce() async throws {
    let scratch = Scratch()
    let first = StoredCheckResult(
      check: "backup", workload: "w", startedAtMs: 1, endedAtMs: 5, verdict: "ok", report: #"{"lines":["é"]}"#)
    var store = try await scratch.open()
    store.checkResults.append([first, .sample("drill", at: 7)])
    #expect(await store.flush())
    // Read in again, such as by a daemon that ended before it could remove the file.
    store.checkResults.append([first])
    #expect(await store.checkResults.newest().count == 2)
    await store.close()
    store = try await scratch.open()
    var kept = await store.checkResults.newest()
    for index in kept.indices { kept[index].id = 0 }
    #expect(kept == [.sample("drill", at: 7), first])
  }

  @Test(arguments: [false, true])
  func queries(isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.checkResults.append([.sample("a", workload: "v", at: 4), .sample("a", at: 1), .sample("b", at: 2)])
    #expect(await store.flush())
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    // By their end, not in the order in which they came.
    store.checkResults.append([.sample("a", at: 3, verdict: "unknown")])
    func times(_ query: CheckResultQuery) async -> [Int64] { await store.checkResults.newest(query).map(\.endedAtMs) }
    #expect(await times(CheckResultQuery()) == [4, 3, 2, 1])
    #expect(await times(CheckResultQuery(check: "a")) == [4, 3, 1])
    #expect(await times(CheckResultQuery(check: "a", workload: "w")) == [3, 1])
    #expect(await times(CheckResultQuery(limit: -1)) == [4])
    var newest = CheckResultQuery(limit: .max)
    newest.newestButOf = "unknown"
    #expect(await times(newest) == [4, 3, 2, 1])
    store.checkResults.append([.sample("a", at: 2)])
    if isUnwritten { try holder.execute("ROLLBACK") }
    #expect(await times(newest) == [4, 3, 2, 2])
  }

  /// Of 1,000 results, a check that runs all the time does not take the room of one that runs once a quarter.
  @Test func theCheckWithTheMostLosesItsOldest() async throws {
    let store = try await Scratch().open()
    store.checkResults.append([.sample("drill", at: 1), .sample("often", workload: "other", at: 2)])
    #expect(await store.flush())
    for round in 0..<12 {
      store.checkResults.append((0..<100).map { .sample("often", at: 10 + Int64(round) * 100 + $0) })
      #expect(await store.flush())
    }
    let kept = await store.checkResults.newest(CheckResultQuery(limit: .max))
    #expect(kept.count == StoreLimits.checkResults)
    #expect(kept.suffix(3).map(\.endedAtMs) == [212, 2, 1])
  }

  /// Names that nobody will use again do not add up for ever.
  @Test func ofManyChecksTheOldestGoes() async throws {
    let store = try await Scratch().open()
    for round in 0..<11 {
      store.checkResults.append((0..<100).map { .sample("check-\(round)-\($0)", at: Int64(round) * 100 + $0) })
      #expect(await store.flush())
    }
    let kept = await store.checkResults.newest(CheckResultQuery(limit: .max))
    #expect(kept.count == StoreLimits.checkResults && kept.last?.endedAtMs == 100)
  }
}

extension StoredCheckResult {
  static func sample(
    _ check: String, workload: String = "w", at time: Int64 = 1, verdict: String = "ok"
  ) -> StoredCheckResult {
    StoredCheckResult(
      check: check, workload: workload, startedAtMs: time, endedAtMs: time, verdict: verdict, report: "{}")
  }
}
