import Runtime
import TestSupport
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct StoreTests {
  @Test func everythingIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    let odd = CounterKey("odd", ["b": "a \"quoted\\\n\" value}", "a": ""])
    let event = Event(
      at: 1_799_999_000.1234, workload: "sessions", node: "127.0.0.1:6379", kind: .failover,
      summary: "n1 → n2", details: #"{"epoch":7}"#, key: "sessions/7")
    var store = try await scratch.open()
    store.events.append(event, counting: [failovers])
    store.counters.add(odd, 2.5, at: 12)
    store.counters.declare(CounterKey("declared"))
    store.facts.set("epoch", to: "7", at: 13)
    #expect(await store.flush())
    await store.close()

    store = try await scratch.open()
    let kept = await store.events.newest()
    #expect(kept.map(\.id) == [1])
    #expect(kept.first?.at == 1_799_999_000.123)
    #expect(kept.first?.details == event.details && kept.first?.summary == event.summary)
    #expect(
      store.counters.load() == [
        failovers: Counter(value: 1, changed: 1_799_999_000.123),
        odd: Counter(value: 2.5, changed: 12),
        CounterKey("declared"): Counter(value: 0, changed: nil),
      ])
    #expect(store.facts["epoch"] == Fact(value: "7", changed: 13))
    #expect(store.health == StoreHealth(state: .durable))
    #expect(scratch.notices.withLock { $0 }.isEmpty)
  }

  @Test func aKeyIsCountedOnceAlsoAfterAReopen() async throws {
    let scratch = Scratch()
    let event = Event.sample("failover", key: "sessions/7")
    var store = try await scratch.open()
    #expect(store.events.append(event, counting: [failovers]))
    #expect(!store.events.append(event, counting: [failovers]))
    await store.close()
    store = try await scratch.open()
    #expect(!store.events.append(event, counting: [failovers]))
    #expect(store.events.append(.sample("no key")) && store.events.append(.sample("no key")))
    #expect(store.counters[failovers]?.value == 1)
    #expect(await store.events.newest().count == 3)
  }

  @Test func anEventIsRevisedWhereItIs() async throws {
    let scratch = Scratch()
    func event(_ summary: String, key: String?) -> Event { .sample(summary, key: key) }
    var store = try await scratch.open()
    store.events.append(event("first", key: "a"), counting: [failovers])
    // Before it is written, after, and once more.
    store.change { $0.revise(event("second", key: "a")) }
    #expect(await store.events.newest().map(\.summary) == ["second"])
    store.change { $0.revise(event("third", key: "a")) }
    store.change { $0.revise(event("nothing", key: "unknown")) }
    store.change { $0.revise(event("nothing", key: nil)) }
    await store.close()
    store = try await scratch.open()
    store.change { $0.revise(event("fourth", key: "a")) }
    await store.close()
    store = try await scratch.open()
    #expect(await store.events.newest().map(\.summary) == ["fourth"])
    #expect(store.counters[failovers]?.value == 1)
  }

  @Test func aChangeIsWrittenByItself() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.counters.add(failovers, at: 1)
    #expect(await eventually { store.health.lastCommit != nil })
    let reader = try Database(path: scratch.path, busyTimeoutMs: 100)
    let rows = try reader.rows("SELECT key, value FROM counters") { "\($0.text(0)) \($0.real(1))" }
    #expect(rows == [#"failovers{cause="automatic",workload="sessions"} 1.0"#])
    await store.close()
  }

  @Test func removedRecordsStayAway() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.counters.set(failovers, to: 5, at: 1)
    store.facts.set("epoch", to: "1", at: 1)
    await store.close()
    store = try await scratch.open()
    store.counters.remove(failovers)
    store.facts.set("epoch", to: nil, at: 2)
    await store.close()
    store = try await scratch.open()
    #expect(store.counters.load().isEmpty && store.facts["epoch"] == nil)
  }

  /// Recent enough for events to be kept.
  static let base = WallTime(seconds: 1_799_990_000)

  struct Query: Sendable, CustomTestStringConvertible {
    let query: EventQuery
    let expected: [String]
    var testDescription: String { "\(expected)" }
  }

  @Test(
    arguments: [
      Query(query: EventQuery(), expected: ["e", "d", "c", "b", "a"]),
      Query(query: EventQuery(limit: 2), expected: ["e", "d"]),
      Query(query: EventQuery(workload: "queues"), expected: ["d", "b"]),
      Query(query: EventQuery(kind: .restart), expected: ["d", "c"]),
      Query(query: EventQuery(workload: "queues", kind: .restart), expected: ["d"]),
      Query(query: EventQuery(since: base + 30), expected: ["e", "d", "c"]),
      Query(query: EventQuery(workload: "nobody"), expected: []),
      Query(query: EventQuery(until: base + 20), expected: ["b", "a"]),
      Query(query: EventQuery(since: base + 10, until: base + 30, limit: 2), expected: ["d", "c"]),
      Query(query: EventQuery(limit: 2, isOldestFirst: true), expected: ["a", "b"]),
      Query(query: EventQuery(since: base + 30, isOldestFirst: true), expected: ["c", "d", "e"]),
      Query(query: EventQuery(limit: -1), expected: ["e"]),
    ], [false, true])
  func queries(_ query: Query, isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    store.events.append(.sample("a", at: Self.base + 10))
    store.events.append(.sample("e", at: Self.base + 50, workload: "cache", kind: .flush))
    await store.flush()
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    // Of one millisecond, what was appended later is newer.
    store.events.append(.sample("b", at: Self.base + 20, workload: "queues", kind: .arrival))
    store.events.append(.sample("c", at: Self.base + 30, kind: .restart))
    store.events.append(.sample("d", at: Self.base + 30, workload: "queues", kind: .restart))
    #expect(await store.events.newest(query.query).map(\.summary) == query.expected)
    if isUnwritten { #expect(store.health.pendingEvents == 3) }
    if isUnwritten { try holder.execute("ROLLBACK") }
  }

  @Test func sinceWhenEventsAreKept() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    #expect(await store.events.keptSince() == nil)
    await store.events.noteBegin(at: Self.base)
    #expect(await store.events.keptSince() == Self.base)
    store.events.append(.sample("a", at: Self.base + 10))
    #expect(await store.events.keptSince() == Self.base, "nothing happened before")
    await store.close()
    store = try await scratch.open()
    await store.events.noteBegin(at: Self.base + 500)
    #expect(await store.events.keptSince() == Self.base, "it is noted once")
    await store.close()
    // Some were removed: what was before the oldest is not known any more.
    try Database(path: scratch.path, busyTimeoutMs: 100).execute("UPDATE events SET id = 7")
    store = try await scratch.open()
    #expect(await store.events.keptSince() == Self.base + 10)
  }

  @Test func filesAreForTheirOwnerAlone() async throws {
    let scratch = Scratch()
    scratch.write([], to: scratch.path)
    #expect(scratch.mode(scratch.path) == 0o644)
    let store = try await scratch.open()
    store.counters.add(failovers, at: 1)
    await store.flush()
    #expect(scratch.names == ["redline.db", "redline.db-shm", "redline.db-wal", "redline.db.lock"])
    for name in scratch.names { #expect(scratch.mode("\(scratch.directory)/\(name)") == 0o600, "\(name)") }
    await store.close()
    #expect(try StorePath(path: scratch.path).occupant() == .ours(version: Schema.current.version))
  }

  @Test func eventsAreRemovedByCountAndAge() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.eventCount = 150
    options.eventAgeDays = 1
    var store = try await scratch.open(options)
    let now = scratch.now.withLock { $0 }
    store.events.append(.sample("old", at: now - 90_000, key: "old"))
    for number in 1...200 { store.events.append(.sample("\(number)", at: now, key: "\(number)")) }
    await store.flush()
    var kept = await store.events.newest(EventQuery(limit: 1000))
    #expect(kept.count == 150)
    #expect(kept.last?.summary == "51")
    // The key of a removed event is free again.
    #expect(store.events.append(.sample("again", at: now, key: "50")))
    #expect(!store.events.append(.sample("again", at: now, key: "51")))
    await store.close()

    scratch.now.withLock { $0 = $0 + 90_000 }
    store = try await scratch.open(options)
    store.events.append(.sample("new", at: now + 90_000))
    #expect(try await store.removeOld()["events"] == 151)
    kept = await store.events.newest(EventQuery(limit: 1000))
    #expect(kept.map(\.summary) == ["new"])
    #expect(store.events.append(.sample("again", at: now + 90_000, key: "60")))
  }

  @Test func oneProcessAtATime() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let error = await #expect(throws: StoreError.self) { try await scratch.open() }
    guard case .inUse(scratch.path, .some(let processID)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("process \(processID)") == true)
    store.counters.add(failovers, at: 1)
    #expect(await store.flush())
    await store.close()
    #expect(!(await store.flush()))
    let next = try await scratch.open()
    #expect(next.counters[failovers]?.value == 1)
  }
}
