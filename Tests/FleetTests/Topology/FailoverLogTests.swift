import FoundationEssentials
import Redis
import Runtime
import Storage
import TestSupport
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

  private func failover(from: Int, to: Int) -> Failover {
    var failover = Failover(key: "3", subject: "m\"1", kind: .automatic, counted: 14)
    (failover.from, failover.to) = (Readings.address(from), Readings.address(to))
    failover.phases = [.sdown: 10, .switched: 14]
    return failover
  }

  private func members(_ clients: [Int: Int], at seconds: Double) -> [MemberReading] {
    clients.map { number, count in
      MemberReading(
        Readings.address(number), answers: true, facts: Readings.facts("connected_clients:\(count)\n"),
        began: .init(seconds: seconds), ended: .init(seconds: seconds))
    }
  }

  @Test func theEventIsCompletedOnceClientsHadTime() throws {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    let name = { (address: NodeAddress) in "n\(address.port)" }
    log.note(members([1: 5, 2: 0], at: 9), instance: name)
    var failover = failover(from: 1, to: 2)
    let first = log.begin(failover, instance: name)
    #expect(first.summary == "automatic failover of m\"1 from n1 to n2" && first.key == "w/failover/3")
    #expect(log.lastSummary == first.summary && log.finish(at: 15).isEmpty)

    // What is known later does not make another event.
    failover.phases[.end] = 15
    log.revise(failover, instance: name)
    log.note(members([2: 5], at: 20), instance: name)
    let events = log.finish(at: .init(seconds: 14 + FailoverLog.settleSeconds))
    #expect(events.map(\.key) == [first.key])
    let details = try JSONDecoder().decode(Details.self, from: Data((events.first?.details ?? "").utf8))
    #expect(details.kind == "automatic" && details.from == "n1" && details.to == "n2")
    #expect(details.outageSeconds == 4 && details.phases == ["sdown": 10, "switch": 14, "end": 15])
    #expect(details.clientsBefore == ["n1": 5, "n2": 0] && details.clientsAfter == ["n2": 5])
    #expect(log.finish(at: 100).isEmpty, "it is told once")
  }

  @Test func aLargeWorkloadStillTellsOfItsMasters() throws {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    let name = { (address: NodeAddress) in "redis-node-number-\(address.port).example.internal" }
    log.note(members(Dictionary(uniqueKeysWithValues: (1...999).map { ($0, 7) }), at: 1), instance: name)
    let event = log.begin(failover(from: 998, to: 999), instance: name)
    let details = try JSONDecoder().decode(Details.self, from: Data(event.details.utf8))
    #expect(details.clientsBefore.count == FailoverLog.Entry.instanceLimit)
    #expect(details.clientsBefore[details.from ?? ""] == 7 && details.clientsBefore[details.to ?? ""] == 7)
  }
}

@Suite struct ClientTrackerTests {
  @Test func knowsWhatWasBeforeAndAfter() {
    var clients = ClientTracker()
    for second in 0..<10 { clients.note(second, of: "a", at: .init(seconds: Double(second))) }
    clients.note(3, of: "dead", at: 2)
    #expect(clients.counts(at: 4.5) == ["a": 4, "dead": 3])
    #expect(clients.counts(since: 4.5) == ["a": 9])
    #expect(clients.counts(at: -1).isEmpty)
    clients.forget(allBut: ["a"])
    #expect(clients.counts(at: 5) == ["a": 5])
  }

  @Test func isBounded() {
    var clients = ClientTracker()
    for second in 0..<1000 { clients.note(second, of: "a", at: .init(seconds: Double(second) / 10)) }
    #expect(clients.counts(at: 90) == ["a": 900] || clients.counts(at: 90).isEmpty)
    #expect(clients.counts(at: 99) == ["a": 990])
    clients.note(1, of: "a", at: 1e6)
    #expect(clients.counts(at: .init(seconds: 1e6 - 1)) == ["a": 999], "the last before a long silence")
  }
}
