import Runtime
import Testing

@testable import Storage

@Suite(.timeLimit(.minutes(1))) struct MarkTests {
  /// The scratch's own clock: what is older than 90 days would go.
  private static let begin: Int64 = 1_800_000_000_000

  private static func mark(_ id: Int64, at: Int64? = nil, workload: String = "w") -> StoredMark {
    StoredMark(
      id: id, atMs: at ?? begin + id, untilMs: id % 2 == 0 ? begin + id + 5 : nil, workload: workload, node: "n",
      kind: "change",
      text: "é", tags: #"["a"]"#)
  }

  private static func event(_ mark: StoredMark) -> Event {
    Event(
      at: WallTime(epochMs: mark.atMs), workload: mark.workload, kind: .mark, summary: mark.text, key: "mark/\(mark.id)"
    )
  }

  private let key = CounterKey("marks_total", ["workload": "w", "kind": "change"])

  @Test func everyFieldIsThereAfterAReopen() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    for id in [3, 4] as [Int64] { store.marks.append(Self.mark(id), Self.event(Self.mark(id)), counting: [key]) }
    #expect(await store.marks.load() == [Self.mark(3), Self.mark(4)])
    #expect(await store.flush())
    await store.close()
    store = try await scratch.open()
    #expect(await store.marks.load() == [Self.mark(3), Self.mark(4)])
    #expect(store.counters[key]?.value == 2)
    #expect(await store.events.newest(EventQuery(kind: .mark)).count == 2)
  }

  @Test(arguments: [false, true])
  func marksOfAllAreAmongTheEventsOfEachWorkload(isUnwritten: Bool) async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    #expect(await store.flush())
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    if isUnwritten { try holder.execute("BEGIN IMMEDIATE") }
    store.marks.append(Self.mark(1, workload: ""), Self.event(Self.mark(1, workload: "")), counting: [])
    store.change {
      $0.append(Event(at: WallTime(epochMs: Self.begin), workload: "", kind: .restart, summary: "of nobody"))
    }
    store.change {
      $0.append(Event(at: WallTime(epochMs: Self.begin + 9), workload: "v", kind: .mark, summary: "of another"))
    }
    #expect(await store.events.newest(EventQuery(workload: "w")).map(\.summary) == ["é"])
    #expect(await store.events.newest(EventQuery(workload: "v")).map(\.summary) == ["of another", "é"])
    if isUnwritten { try holder.execute("ROLLBACK") }
  }

  @Test func theOldestGo() async throws {
    let store = try await Scratch().open()
    for id in 1...Int64(StoreLimits.marks + 40) {
      store.marks.append(Self.mark(id), Self.event(Self.mark(id)), counting: [])
      if id % 50 == 0 { #expect(await store.flush()) }
    }
    #expect(await store.flush())
    let kept = await store.marks.load()
    #expect(kept?.count == StoreLimits.marks && kept?.first?.id == 41)
  }

  /// A mark of a time before the store began says nothing of since when events are kept.
  @Test func aMarkOfThePastIsNoOldestEvent() async throws {
    let store = try await Scratch().open()
    await store.events.noteBegin(at: WallTime(epochMs: Self.begin + 1000))
    store.change {
      $0.append(Event(at: WallTime(epochMs: Self.begin + 2000), workload: "w", kind: .restart, summary: "x"))
    }
    store.marks.append(Self.mark(5), Self.event(Self.mark(5)), counting: [])
    #expect(await store.events.keptSince() == WallTime(epochMs: Self.begin + 1000))
  }
}
