import Runtime
import TestSupport
import Testing

@testable import Storage

@Suite struct StoreRecordsTests {
  let other = CounterKey("other")

  @Test func theFileIsAddedToWhatHappenedInMemory() {
    var records = StoreRecords(pendingLimit: 10)
    records.append(.sample("known", at: 50, key: "known"), counting: [failovers])
    records.append(.sample("new", at: 60, key: "new"), counting: [failovers])
    records.set(other, to: 3, at: 60)
    records.setFact("epoch", to: "9", at: 60)
    records.declare(CounterKey("quiet"))
    records.set(CounterKey("gone"), to: 1, at: 60)
    records.remove(CounterKey("gone"))

    var contents = StoreContents()
    contents.counters = [
      failovers: Counter(value: 40, changed: 50), other: Counter(value: 100, changed: 1),
      CounterKey("quiet"): Counter(value: 8, changed: 2), CounterKey("gone"): Counter(value: 7),
      CounterKey("stored"): Counter(value: 6, changed: 3),
    ]
    contents.facts = ["epoch": Fact(value: "8", changed: 1), "kept": Fact(value: "k", changed: 1)]
    contents.eventKeys = ["known"]
    records.adopt(contents)

    #expect(
      records.counters == [
        failovers: Counter(value: 41, changed: 60), other: Counter(value: 3, changed: 60),
        CounterKey("quiet"): Counter(value: 8, changed: 2),
        CounterKey("stored"): Counter(value: 6, changed: 3),
      ])
    #expect(records.facts.mapValues(\.value) == ["epoch": "9", "kept": "k"])
    #expect(records.events.records.map(\.event.summary) == ["new"])
    let isNew = records.append(.sample("known", key: "known"))
    #expect(!isNew)
  }

  @Test func whatChangesDuringAWriteIsWrittenAgain() {
    var records = StoreRecords(pendingLimit: 10)
    records.adopt(StoreContents())
    records.append(.sample("one"), counting: [failovers])
    records.add(1, to: other, at: 1)
    let batch = records.batch()
    records.append(.sample("two"), counting: [failovers])
    records.settle(batch, prunedKeys: [])
    let next = records.batch()
    #expect(next.events.map(\.summary) == ["two"])
    #expect(next.counters.map(\.0) == [failovers] && next.counters.first?.1?.value == 2)
    records.settle(next, prunedKeys: [])
    #expect(!records.hasChanges && records.batch().isEmpty)
  }

  @Test func aSettingThatChangesNothingIsNotWritten() {
    var records = StoreRecords(pendingLimit: 10)
    records.adopt(StoreContents())
    records.set(other, to: 3, at: 1)
    records.setFact("f", to: "v", at: 1)
    records.settle(records.batch(), prunedKeys: [])
    records.set(other, to: 3, at: 2)
    records.add(0, to: other, at: 2)
    records.declare(other)
    records.add(.nan, to: other, at: 2)
    records.add(.infinity, to: other, at: 2)
    records.setFact("f", to: "v", at: 2)
    records.setFact("absent", to: nil, at: 2)
    #expect(!records.hasChanges)
    #expect(records.counters[other] == Counter(value: 3, changed: 1))
  }

  @Test func memoryIsBounded() {
    var records = StoreRecords(pendingLimit: 3)
    for number in 1...5 { records.append(.sample("\(number)"), counting: [failovers]) }
    #expect(records.events.records.map(\.event.summary) == ["3", "4", "5"])
    #expect(records.events.droppedCount == 2 && records.counters[failovers]?.value == 5)
    for number in 0..<StoreLimits.records + 7 { records.setFact("\(number)", to: "", at: 0) }
    #expect(records.facts.count == StoreLimits.records && records.refusedRecords == 7)
    let long = String(repeating: "k", count: 5000)
    records.declare(CounterKey("name", ["label": long]))
    records.setFact("1", to: long, at: 0)
    let isKept = records.append(.sample("", key: long))
    #expect(!isKept && records.refusedRecords == 10 && records.facts["1"]?.value == "")
  }

  @Test func textsOfEventsAreBounded() {
    let event = Event(
      at: .init(seconds: .nan), workload: String(repeating: "w", count: 999), kind: .flush,
      summary: String(repeating: "é", count: 999), details: "{\"x\":\"\(String(repeating: "x", count: 1 << 20))\"}")
    #expect(event.at == 0)
    #expect(event.workload.utf8.count == StoreLimits.nameBytes)
    #expect(event.summary.utf8.count <= StoreLimits.summaryBytes && event.summary.hasSuffix("é…"))
    #expect(event.details == #"{"omitted_bytes":1048584}"#)
    #expect(Event.sample("short", at: 1.9996).at == 2)
  }

  @Test(arguments: [
    CounterKey("plain"), CounterKey("a:b_1", ["x": ""]), CounterKey("n", ["z": "1", "a": "\\\"\n,}={"]),
    CounterKey("n", ["label": "schlüssel"]),
  ])
  func keysReadBackFromTheirText(_ key: CounterKey) {
    #expect(CounterKey(text: key.description) == key)
  }

  @Test(arguments: [
    "", "{}", "n{}", "n{a}", "n{a=}", #"n{a="1"#, #"n{a="1""#, #"n{a="1",}"#, #"n{a="1"}x"#, #"n{b="1",a="2"}"#,
    "n x",
    #"n{a="\x"}"#,
  ])
  func otherTextIsNoKey(_ text: String) {
    #expect(CounterKey(text: text) == nil)
  }

  @Test func rawStringsOfKindsStay() {
    #expect(
      EventKind.allCases.map(\.rawValue) == [
        "role_change", "failover", "failover_aborted", "restart", "config_change", "arrival", "departure",
        "unreachable", "recovered", "flush", "maintenance", "mark", "alert_fired", "alert_resolved", "other",
      ])
  }
}
