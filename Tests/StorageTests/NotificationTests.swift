import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct NotificationTests {
  static let base: Int64 = 1_799_990_000_000

  @Test func everyFieldIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    let firing = StoredNotification(
      atMs: Self.base, alertname: "RedisDown", labels: #"{"instance":"n1"}"#, state: "firing",
      startsAtMs: Self.base - 5,
      endsAtMs: Self.base + 5, alertmanager: "http://am-1:9093", outcome: "sent")
    let open = StoredNotification(
      atMs: Self.base + 1, alertname: "", labels: "{}", state: "resolved", startsAtMs: 0, alertmanager: "",
      outcome: "HTTP 500")
    var store = try await scratch.open()
    store.notifications.append([firing, open])
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    var kept = await store.notifications.newest()
    #expect(kept.map(\.id) == [2, 1])
    for index in kept.indices { kept[index].id = 0 }
    #expect(kept == [open, firing])
  }

  struct Query: Sendable, CustomTestStringConvertible {
    let query: NotificationQuery
    let expected: [Int64]
    var testDescription: String { "\(expected)" }
  }

  @Test(
    arguments: [
      Query(query: NotificationQuery(), expected: [40, 30, 20, 10]),
      Query(query: NotificationQuery(limit: 2), expected: [40, 30]),
      Query(query: NotificationQuery(limit: 0), expected: [40]),
      Query(query: NotificationQuery(alertname: "A"), expected: [30, 10]),
      Query(query: NotificationQuery(state: "resolved"), expected: [40]),
      Query(query: NotificationQuery(alertmanager: "am-2"), expected: [20]),
      Query(query: NotificationQuery(outcome: "refused"), expected: [30]),
      Query(query: NotificationQuery(alertname: "A", sinceMs: base + 30), expected: [30]),
      Query(query: NotificationQuery(alertname: "nobody"), expected: []),
      Query(query: NotificationQuery(sinceMs: base + 20, untilMs: base + 30), expected: [30, 20]),
      Query(query: NotificationQuery(workload: "carts"), expected: [30, 10]),
    ], [false, true])
  func queries(_ query: Query, isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.notifications.append([
      .sample(at: Self.base + 10, name: "A", labels: #"{"workload":"carts"}"#),
      .sample(at: Self.base + 40, state: "resolved"),
    ])
    await store.flush()
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    store.notifications.append([
      .sample(at: Self.base + 20, alertmanager: "am-2"),
      .sample(at: Self.base + 30, name: "A", outcome: "refused", labels: #"{"workload":"carts"}"#),
    ])
    #expect(await store.notifications.newest(query.query).map { $0.atMs - Self.base } == query.expected)
    #expect(store.health.pendingNotifications == (isUnwritten ? 2 : 0))
    if isUnwritten { try holder.execute("ROLLBACK") }
  }

  @Test func theyAreRemovedByCountAndAge() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.notificationCount = 150
    options.eventAgeDays = 1
    let nowMs = scratch.now.withLock { $0 }.epochMs
    let store = try await scratch.open(options)
    store.notifications.append([.sample(at: nowMs - 90_000_000)])
    store.notifications.append((1...200).map { .sample(at: nowMs + $0) })
    await store.flush()
    let kept = await store.notifications.newest(NotificationQuery(limit: 1000))
    #expect(kept.count == 150 && kept.last?.atMs == nowMs + 51)
    scratch.now.withLock { $0 = $0 + 90_000 }
    store.notifications.append((1...100).map { .sample(at: nowMs + 90_000_000 + $0) })
    #expect(await store.notifications.newest(NotificationQuery(limit: 1000)).count == 100)
  }

  @Test func memoryIsBounded() {
    var records = StoreRecords(pendingLimit: 3)
    records.append((1...5).map { .sample(at: $0) })
    #expect(records.notifications.records.map(\.atMs) == [3, 4, 5] && records.notifications.droppedCount == 2)
    let long = String(repeating: "x", count: 1 << 20)
    let record = StoredNotification(
      atMs: 1, alertname: long, labels: long, state: long, startsAtMs: 1, alertmanager: long, outcome: long)
    #expect(record.labels == #"{"omitted_bytes":"1048576"}"#)
    #expect(
      [record.alertname, record.state, record.alertmanager, record.outcome].map(\.utf8.count).max()
        == StoreLimits.summaryBytes)
  }
}

extension StoredNotification {
  static func sample(
    at atMs: Int64, name: String = "B", state: String = "firing", alertmanager: String = "am-1",
    outcome: String = "sent", labels: String = "{}"
  ) -> StoredNotification {
    StoredNotification(
      atMs: atMs, alertname: name, labels: labels, state: state, startsAtMs: atMs, alertmanager: alertmanager,
      outcome: outcome)
  }
}
