import FoundationEssentials
import Redis
import Storage
import Testing

@testable import Fleet

@Suite struct FailoverStoryTests {
  private struct Details: Decodable {
    let kind: String
    let from: String?
    let to: String?
    let outageSeconds: Double?
    let phases: [String: Double]?
    let clientsBefore: [String: Int]
    let clientsAfter: [String: Int]?

    enum CodingKeys: String, CodingKey {
      case kind, from, to, phases
      case outageSeconds = "outage_seconds"
      case clientsBefore = "clients_before"
      case clientsAfter = "clients_after"
    }
  }

  @Test func theEventTellsTheWholeStory() throws {
    var record = FailoverRecord(number: 3, masterName: "m\"1", kind: .automatic, countedSeconds: 14)
    (record.from, record.to) = (Readings.address(1), Readings.address(2))
    record.phaseSeconds = [.sdown: 10, .switched: 14]
    var story = FailoverStory(record, workload: "w", instance: { "n\($0.port)" })
    #expect(story.beginSeconds == 10)
    story.clientsBefore = ["n1": 5, "n2": 0]
    let first = story.event
    #expect(first.summary == "automatic failover of m\"1 from n1 to n2" && first.key == "w/failover/3")

    // What is known later does not make another event.
    record.phaseSeconds[.end] = 15
    story = FailoverStory(record, workload: "w", instance: { "n\($0.port)" }).withClients(of: story)
    story.clientsAfter = ["n2": 5]
    #expect(story.event.key == first.key)
    let details = try JSONDecoder().decode(Details.self, from: Data(story.event.details.utf8))
    #expect(details.kind == "automatic" && details.from == "n1" && details.to == "n2")
    #expect(details.outageSeconds == 4 && details.phases == ["sdown": 10, "switch": 14, "end": 15])
    #expect(details.clientsBefore == ["n1": 5, "n2": 0] && details.clientsAfter == ["n2": 5])
  }

  @Test func aLargeWorkloadStillTellsOfItsMasters() throws {
    let failover = ReplicationFailoverTracker.Failover(
      number: 1, kind: .manual, from: Readings.address(998), to: Readings.address(999), seconds: 1)
    var story = FailoverStory(failover, workload: "w", instance: { "redis-node-number-\($0.port).example.internal" })
    let names = (1...999).map { "redis-node-number-\($0).example.internal" }
    story.clientsBefore = Dictionary(uniqueKeysWithValues: names.map { ($0, 7) })
    let details = try JSONDecoder().decode(Details.self, from: Data(story.event.details.utf8))
    #expect(details.clientsBefore.count == FailoverStory.instanceLimit)
    #expect(details.clientsBefore[story.from ?? ""] == 7 && details.clientsBefore[story.to ?? ""] == 7)
  }
}

@Suite struct ClientBookTests {
  @Test func knowsWhatWasBeforeAndAfter() {
    var book = ClientBook()
    for second in 0..<10 { book.note(second, of: "a", atSeconds: Double(second)) }
    book.note(3, of: "dead", atSeconds: 2)
    #expect(book.counts(atSeconds: 4.5) == ["a": 4, "dead": 3])
    #expect(book.counts(sinceSeconds: 4.5) == ["a": 9])
    #expect(book.counts(atSeconds: -1).isEmpty)
    book.forget(allBut: ["a"])
    #expect(book.counts(atSeconds: 5) == ["a": 5])
  }

  @Test func isBounded() {
    var book = ClientBook()
    for second in 0..<1000 { book.note(second, of: "a", atSeconds: Double(second) / 10) }
    #expect(book.counts(atSeconds: 90) == ["a": 900] || book.counts(atSeconds: 90).isEmpty)
    #expect(book.counts(atSeconds: 99) == ["a": 990])
    book.note(1, of: "a", atSeconds: 1e6)
    #expect(book.counts(atSeconds: 1e6 - 1) == ["a": 999], "the last before a long silence")
  }
}
