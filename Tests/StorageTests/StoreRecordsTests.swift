import Testing

@testable import Storage

@Suite struct LedgerTests {
  let other = CounterKey("other")

  @Test func theFileIsAddedToWhatHappenedInMemory() {
    var ledger = Ledger(pendingLimit: 10)
    ledger.append(.sample("known", at: 50, key: "known"), counting: [failovers])
    ledger.append(.sample("new", at: 60, key: "new"), counting: [failovers])
    ledger.set(other, to: 3, atSeconds: 60)
    ledger.setFact("epoch", to: "9", atSeconds: 60)
    ledger.declare(CounterKey("quiet"))
    ledger.set(CounterKey("gone"), to: 1, atSeconds: 60)
    ledger.remove(CounterKey("gone"))

    var contents = StoreContents()
    contents.counters = [
      failovers: Counter(value: 40, changedAtSeconds: 50), other: Counter(value: 100, changedAtSeconds: 1),
      CounterKey("quiet"): Counter(value: 8, changedAtSeconds: 2), CounterKey("gone"): Counter(value: 7),
      CounterKey("stored"): Counter(value: 6, changedAtSeconds: 3),
    ]
    contents.facts = ["epoch": Fact(value: "8", changedAtSeconds: 1), "kept": Fact(value: "k", changedAtSeconds: 1)]
    contents.eventKeys = ["known"]
    ledger.adopt(contents)

    #expect(
      ledger.counters == [
        failovers: Counter(value: 41, changedAtSeconds: 60), other: Counter(value: 3, changedAtSeconds: 60),
        CounterKey("quiet"): Counter(value: 8, changedAtSeconds: 2),
        CounterKey("stored"): Counter(value: 6, changedAtSeconds: 3),
      ])
    #expect(ledger.facts.mapValues(\.value) == ["epoch": "9", "kept": "k"])
    #expect(ledger.pendingEvents.map(\.event.summary) == ["new"])
    let isNew = ledger.append(.sample("known", key: "known"))
    #expect(!isNew)
  }

  @Test func whatChangesDuringAWriteIsWrittenAgain() {
    var ledger = Ledger(pendingLimit: 10)
    ledger.adopt(StoreContents())
    ledger.append(.sample("one"), counting: [failovers])
    ledger.add(1, to: other, atSeconds: 1)
    let batch = ledger.batch()
    ledger.append(.sample("two"), counting: [failovers])
    ledger.settle(batch, prunedKeys: [])
    let next = ledger.batch()
    #expect(next.events.map(\.summary) == ["two"])
    #expect(next.counters.map(\.0) == [failovers] && next.counters.first?.1?.value == 2)
    ledger.settle(next, prunedKeys: [])
    #expect(!ledger.hasChanges && ledger.batch().isEmpty)
  }

  @Test func aSettingThatChangesNothingIsNotWritten() {
    var ledger = Ledger(pendingLimit: 10)
    ledger.adopt(StoreContents())
    ledger.set(other, to: 3, atSeconds: 1)
    ledger.setFact("f", to: "v", atSeconds: 1)
    ledger.settle(ledger.batch(), prunedKeys: [])
    ledger.set(other, to: 3, atSeconds: 2)
    ledger.add(0, to: other, atSeconds: 2)
    ledger.declare(other)
    ledger.add(.nan, to: other, atSeconds: 2)
    ledger.add(.infinity, to: other, atSeconds: 2)
    ledger.setFact("f", to: "v", atSeconds: 2)
    ledger.setFact("absent", to: nil, atSeconds: 2)
    #expect(!ledger.hasChanges)
    #expect(ledger.counters[other] == Counter(value: 3, changedAtSeconds: 1))
  }

  @Test func memoryIsBounded() {
    var ledger = Ledger(pendingLimit: 3)
    for number in 1...5 { ledger.append(.sample("\(number)"), counting: [failovers]) }
    #expect(ledger.pendingEvents.map(\.event.summary) == ["3", "4", "5"])
    #expect(ledger.droppedEvents == 2 && ledger.counters[failovers]?.value == 5)
    for number in 0..<StoreLimits.records + 7 { ledger.setFact("\(number)", to: "", atSeconds: 0) }
    #expect(ledger.facts.count == StoreLimits.records && ledger.refusedRecords == 7)
    let long = String(repeating: "k", count: 5000)
    ledger.declare(CounterKey("name", ["label": long]))
    ledger.setFact("1", to: long, atSeconds: 0)
    let isKept = ledger.append(.sample("", key: long))
    #expect(!isKept && ledger.refusedRecords == 10 && ledger.facts["1"]?.value == "")
  }

  @Test func textsOfEventsAreBounded() {
    let event = Event(
      atSeconds: .nan, workload: String(repeating: "w", count: 999), kind: .flush,
      summary: String(repeating: "é", count: 999), details: "{\"x\":\"\(String(repeating: "x", count: 1 << 20))\"}")
    #expect(event.atSeconds == 0)
    #expect(event.workload.utf8.count == StoreLimits.nameBytes)
    #expect(event.summary.utf8.count <= StoreLimits.summaryBytes && event.summary.hasSuffix("é…"))
    #expect(event.details == #"{"omitted_bytes":1048584}"#)
    #expect(Event.sample("short", at: 1.9996).atSeconds == 2)
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
        "unreachable", "recovered", "flush", "maintenance", "alert_fired", "alert_resolved", "other",
      ])
  }
}
