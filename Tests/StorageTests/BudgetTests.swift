import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct BudgetTests {
  private static func row(
    _ amounts: [UInt8] = [1, 2], of workload: String = "cache", step: Int64 = 60, start: Int64 = 1_800_000_000
  ) -> StoredBudget {
    StoredBudget(.init(workload: workload, stepSeconds: step, startSeconds: start), amounts: amounts)
  }

  @Test func theNewestRowOfAKeyIsKeptOverRestarts() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.budgets.put([Self.row([1]), Self.row(of: "queues")])
    store.budgets.put([Self.row([2]), Self.row([3], step: 3600)])
    #expect(await store.budgets.load(workload: "cache")?.count == 2)
    store.budgets.put([Self.row([4])])
    #expect(await store.history.flush())
    await store.close()
    store = try await scratch.open()
    let rows = try #require(await store.budgets.load(workload: "cache"))
    #expect(Set(rows.map(\.amounts)) == [[4], [3]])
    #expect(await store.budgets.load(workload: "other") == [])
  }

  /// Written without anybody who waits, and there after the process is killed.
  @Test func whatWasPutIsWrittenSoon() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.budgets.put([Self.row()])
    #expect(
      await eventually {
        let database = try? Database(reading: scratch.path, hasLog: true)
        return (try? database?.integer("SELECT count(*) FROM budgets")) == 1
      })
  }

  @Test func oldRowsAndTheOldestOfTooManyAreRemoved() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let now: Int64 = 1_800_000_000
    store.budgets.put([
      Self.row(start: now - StoreLimits.budgetMinutesSeconds - 60), Self.row(start: now - 3600),
      Self.row(step: 3600, start: now - StoreLimits.budgetMinutesSeconds - 60),
      Self.row(step: 3600, start: now - StoreLimits.budgetHoursSeconds - 60),
    ])
    #expect(await store.history.flush())
    #expect(try await store.removeOld()["budgets"] == 2)
    #expect(await store.budgets.load(workload: "cache")?.count == 2)
    await store.close()
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    #expect(try database.pruneBudgets(nowSeconds: now, count: 1) == 1)
    #expect(try database.integer("SELECT start_seconds FROM budgets") == now - 3600)
  }

  @Test func whatIsTooLongIsRefused() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.budgets.put([
      Self.row(of: String(repeating: "w", count: StoreLimits.nameBytes + 1)),
      Self.row([UInt8](repeating: 0, count: StoreLimits.budgetBytes + 1)),
    ])
    #expect(await store.history.flush())
    #expect(store.health.refusedRecords == 2)
    #expect(await store.budgets.load(workload: "cache") == [])
  }

  @Test func anotherFileIsTold() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let number = store.budgets.fileNumber
    scratch.rename(scratch.path, to: scratch.path + ".away")
    store.budgets.put([Self.row()])
    #expect(await store.history.flush())
    #expect(store.budgets.fileNumber != number)
  }
}
