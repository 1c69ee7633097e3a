import FoundationEssentials
import Metrics
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
    log.note(members([1: 5, 2: 0], at: 9), at: 9, instance: name)
    var failover = failover(from: 1, to: 2)
    let first = log.begin(failover, instance: name)
    #expect(
      first.summary == "automatic failover of m\"1 from n1 to n2; what it cost is not known"
        && first.key == "w/failover/3")
    #expect(log.lastSummary == first.summary && log.takeRevisions(at: 15).isEmpty)

    // What is known later does not make another event.
    failover.phases[.end] = 15
    log.revise(failover, instance: name)
    log.note(members([2: 5], at: 20), at: 20, instance: name)
    let events = log.takeRevisions(at: .init(seconds: 14 + FailoverLog.settleSeconds))
    #expect(events.map(\.key) == [first.key])
    let details = try JSONDecoder().decode(Details.self, from: Data((events.first?.details ?? "").utf8))
    #expect(details.kind == "automatic" && details.from == "n1" && details.to == "n2")
    #expect(details.outageSeconds == nil && details.phases == ["sdown": 10, "switch": 14, "end": 15])
    #expect(details.clientsBefore == ["n1": 5, "n2": 0] && details.clientsAfter == ["n2": 5])
    #expect(log.takeRevisions(at: 100).isEmpty, "it is told once")
  }

  @Test func aLargeWorkloadStillTellsOfItsMasters() throws {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    let name = { (address: NodeAddress) in "redis-node-number-\(address.port).example.internal" }
    log.note(members(Dictionary(uniqueKeysWithValues: (1...999).map { ($0, 7) }), at: 1), at: 1, instance: name)
    let event = log.begin(failover(from: 998, to: 999), instance: name)
    let details = try JSONDecoder().decode(Details.self, from: Data(event.details.utf8))
    #expect(details.clientsBefore.count == FailoverLog.Entry.instanceLimit)
    #expect(details.clientsBefore[details.from ?? ""] == 7 && details.clientsBefore[details.to ?? ""] == 7)
  }
}

/// Which failovers are shown, by which names, also by the next daemon.
@Suite struct ToldFailoversTests {
  private let name = { (address: NodeAddress) in "n\(address.port)" }

  private func failover(_ number: Int, epoch: Int?, at seconds: Double) -> Failover {
    var failover = Failover(key: "\(number)", subject: "m", kind: .automatic, counted: .init(seconds: seconds))
    (failover.from, failover.to, failover.epoch) = (Readings.address(1), Readings.address(2), epoch)
    return failover
  }

  private func samples(_ log: FailoverLog, at wall: WallTime) -> [String] {
    var sink = SampleSink()
    FailoverFamilies.add(log.told(at: wall), "m", into: &sink)
    return Fixture.lines(String(decoding: Exposition().page([sink.finish()]), as: UTF8.self)).filter {
      !$0.hasPrefix("#")
    }
  }

  @Test func eachIsShownByItsEpochWithItsTime() {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    for number in 1...3 { _ = log.begin(failover(number, epoch: number + 4, at: Double(number) * 60), instance: name) }
    #expect(
      samples(log, at: 200)
        == (1...3).map {
          "redis_failover_info{master_name=\"m\",from=\"n1\",to=\"n2\",kind=\"automatic\",epoch=\"\($0 + 4)\"} \($0 * 60)"
        })
    // A day later they are no news, and the last one is remembered.
    #expect(samples(log, at: 86_400 + 179).count == 1 && samples(log, at: 86_400 + 181).isEmpty)
    _ = log.takeRevisions(at: 86_400 + 181)
    #expect(log.lastSummary == "automatic failover of m from n1 to n2; what it cost is not known")
  }

  @Test func oneWhoseEpochIsToBeReadWaitsForIt() {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    var failover = failover(1, epoch: nil, at: 60)
    _ = log.begin(failover, instance: name)
    #expect(samples(log, at: 61).isEmpty)
    failover.epoch = 7
    log.revise(failover, instance: name)
    #expect(samples(log, at: 62).count == 1 && samples(log, at: 62)[0].contains("epoch=\"7\""))
    var other = FailoverLog(workload: "w", pollSeconds: 5)
    _ = other.begin(self.failover(1, epoch: nil, at: 60), instance: name)
    #expect(samples(other, at: .init(seconds: 60 + FailoverLog.nameSeconds)).count == 1, "but not for ever")
  }

  @Test func theNewestSixteenAreShown() {
    var log = FailoverLog(workload: "w", pollSeconds: 5)
    for number in 1...40 {
      _ = log.begin(failover(number, epoch: number, at: Double(number)), instance: name)
      _ = log.takeRevisions(at: .init(seconds: Double(number)))
    }
    #expect(log.told(at: 41).map(\.failover.epoch) == Array(25...40))
  }

  @Test func theNextDaemonShowsTheSame() {
    var (first, next) = (FailoverLog(workload: "w", pollSeconds: 5), FailoverLog(workload: "w", pollSeconds: 5))
    var replicated = failover(2, epoch: nil, at: 90.25)
    replicated.replicationID = "cafe"
    let events = [failover(1, epoch: 5, at: 60.125_4), replicated].map { first.begin($0, instance: name) }
    next.recall(events.reversed())
    #expect(samples(next, at: 100) == samples(first, at: 100) && samples(first, at: 100).count == 2)
    #expect(next.lastSummary == first.lastSummary && next.takeRevisions(at: 100).isEmpty, "nothing is told twice")
    next.recall(events)
    #expect(samples(next, at: 100).count == 2)
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
