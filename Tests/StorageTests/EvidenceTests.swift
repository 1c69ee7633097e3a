import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct EvidenceTests {
  @Test func everyFieldIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    let first = StoredEvidence.sample("a", at: now - 1000, body: [0, 255, 7])
    store.evidence.put(first)
    store.evidence.put(.sample("b", at: now, firedAt: nil))
    #expect(await store.flush())
    // A later look takes the place of the one before.
    let later = StoredEvidence.sample("b", at: now, firedAt: now + 5, body: [1])
    store.evidence.put(later)
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    var query = EvidenceQuery()
    query.hasBodies = true
    #expect(await store.evidence.newest(query) == [later, first])
    query.hasBodies = false
    #expect(await store.evidence.newest(query).map(\.body) == [[], []])
  }

  @Test(arguments: [false, true])
  func queries(isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.evidence.put(.sample("a", workload: "w", at: now))
    store.evidence.put(.sample("b", workload: "v", node: "n:1", at: now + 1))
    #expect(await store.flush())
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    store.evidence.put(.sample("c", workload: "w", alert: "Other", at: now + 2))
    store.evidence.put(.sample("a", workload: "w", at: now, firedAt: now + 9))
    func ids(_ change: (inout EvidenceQuery) -> Void) async -> [String] {
      var query = EvidenceQuery()
      change(&query)
      return await store.evidence.newest(query).map(\.id)
    }
    #expect(await ids { _ in } == ["c", "b", "a"])
    #expect(await ids { $0.workload = "w" } == ["c", "a"])
    #expect(await ids { $0.node = "n:1" } == ["b"])
    #expect(await ids { $0.alert = "Other" } == ["c"])
    #expect(await ids { $0.id = "a" } == ["a"])
    #expect(await ids { $0.sinceMs = now + 1 } == ["c", "b"])
    #expect(await ids { $0.untilMs = now + 1 } == ["b", "a"])
    #expect(await ids { $0.limit = 1 } == ["c"])
    var query = EvidenceQuery()
    query.id = "a"
    #expect(await store.evidence.newest(query).first?.firedAtMs == now + 9)
    if isUnwritten { try holder.execute("ROLLBACK") }
  }

  /// A thousand alerts in a row: the newest 500 are kept, those that fired before those that never did, and the file
  /// does not grow any more.
  @Test func aThousandLeaveTheFileBounded() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let body = (0..<StoreLimits.evidenceBytes).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 5) }
    var sizes: [Int] = []
    for number in 0..<1000 {
      scratch.now.withLock { $0 = WallTime(epochMs: now + Int64(number) * 60_000) }
      let at = now + Int64(number) * 60_000
      store.evidence.put(
        .sample("\(number)", at: at, firedAt: number % 10 == 9 ? nil : at, body: body))
      if number % 20 == 19 {
        #expect(await store.flush())
        sizes.append(SmallFile.size(scratch.path) ?? 0)
      }
    }
    let kept = await store.evidence.newest(EvidenceQuery(limit: .max))
    #expect(kept.count == StoreLimits.evidence && kept.first?.id == "998")
    #expect(kept.allSatisfy { $0.firedAtMs != nil })
    // Twice as much was written.
    #expect(sizes.max() ?? 0 < StoreLimits.evidence * StoreLimits.evidenceBytes + (8 << 20))
    // 90 days later nothing of it is left.
    scratch.now.withLock { $0 = $0 + 91 * 86_400 }
    #expect(try await store.removeOld()["evidence"] == StoreLimits.evidence)
    #expect(await store.evidence.newest(EvidenceQuery()).isEmpty)
  }

  @Test func memoryIsBounded() {
    var records = StoreRecords(pendingLimit: 3)
    for number in 0..<60 { records.put(.sample("\(number)", at: now)) }
    records.put(.sample("59", at: now, firedAt: now))
    #expect(records.evidence.records.count == 50 && records.evidence.droppedCount == 10)
    let batch = records.batch()
    records.put(.sample("59", at: now, firedAt: now + 1))
    records.settle(batch, prunedKeys: [])
    #expect(records.evidence.records.map(\.firedAtMs) == [now + 1])
    let long = String(repeating: "x", count: 70_000)
    let large = StoredEvidence(
      id: "a", workload: long, node: long, alert: long, atMs: 1, firedAtMs: nil, head: long, body: Array(long.utf8))
    #expect(large.head == #"{"omitted_bytes":"70000"}"# && large.body.isEmpty && large.workload.utf8.count <= 256)
  }

  private let now: Int64 = 1_800_000_000_000
}

extension StoredEvidence {
  fileprivate static func sample(
    _ id: String, workload: String = "w", node: String = "", alert: String = "RedisDown", at: Int64,
    firedAt: Int64? = 1_800_000_000_001, body: [UInt8] = [1]
  ) -> StoredEvidence {
    StoredEvidence(
      id: id, workload: workload, node: node, alert: alert, atMs: at, firedAtMs: firedAt, head: #"{"a":1}"#, body: body)
  }
}
