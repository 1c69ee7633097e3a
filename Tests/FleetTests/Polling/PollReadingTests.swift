import Metrics
import NIOCore
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// From replies to samples and outcomes, and what collectors share.
struct PollReadingTests {
  /// Asks something that others read, too.
  private struct Asking: Collector {
    let name = "asking"
    static let value = Family.gauge("test_asked", "A number that was asked for.")
    var families: [Family] { [Self.value] }
    func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
      [["ECHO", "1"], ["ECHO", "2"]]
    }
    func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
      guard let answer = poll.reading(Answer.self) else { throw CollectorError("ECHO is not a number") }
      sink.add(Self.value, answer.value + Double(poll.replies.count))
    }
  }

  private struct Answer: SharedReading {
    let value: Double
    static let readCount = Lock(0)
    static func read(_ poll: PollContext) -> Answer? {
      readCount.withLock { $0 += 1 }
      return poll.reply(to: Asking.self)?.double.map { Answer(value: $0) }
    }
  }

  /// Asks nothing, and reads what the other asked.
  private struct Reading: Collector {
    let name = "reading"
    static let value = Family.gauge("test_read", "The number that another collector asked for.")
    var families: [Family] { [Self.value] }
    var readsInfoOnly: Bool { true }
    func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }
    func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
      if let answer = poll.reading(Answer.self) { sink.add(Self.value, answer.value) }
    }
  }

  private func read(
    _ collectors: [any Collector], info: String = "redis_version:7.0.15", _ replies: String...
  ) throws -> (reading: PollReading, page: [String]) {
    let info = InfoText(bytes: Array(info.utf8))
    let plan = Plan(
      facts: ServerFacts(info), collectors: collectors, options: CollectorOptions(), refusals: Refusals(),
      info: ["INFO", "ALL"], now: .now())
    let poll = PollContext(
      info: info, server: plan.facts, steps: plan.steps,
      replies: try replies.map { try Replies.read(Array($0.utf8))[0] }, options: CollectorOptions(), now: 1e9)
    var (reading, sink) = (PollReading(), SampleSink())
    reading.read(poll, into: &sink)
    let page = String(decoding: Exposition(namespace: "").page([sink.finish()]), as: UTF8.self)
    return (reading, Fixture.lines(page).filter { !$0.hasPrefix("#") })
  }

  private func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

  @Test func aReadingIsMadeOnceForAllThatShareIt() throws {
    for number in 1...2 {
      // Whoever comes first, and also where there is nothing to read.
      let before = Answer.readCount.withLock { $0 }
      let (reading, page) = try read([Reading(), Asking(), Reading()], number == 1 ? ":7\r\n" : "+x\r\n", ":8\r\n")
      #expect(Answer.readCount.withLock { $0 } == before + 1)
      #expect(page == (number == 1 ? ["test_asked 9", "test_read 7"] : []))
      #expect(
        reading.outcomes.map(\.outcome) == [
          .success, number == 1 ? .success : .failed("ECHO is not a number"), .success,
        ])
    }
  }

  @Test(arguments: [
    ("-NOPERM this user has no permissions\r\n", PollReading.Outcome.refused("no_permission")),
    ("-ERR unknown command 'ECHO'\r\n", .refused("unknown_command")),
    ("-ERR busy\r\n", .failed("ECHO 2 was answered: ERR busy")),
  ])
  func anErrorIsTheOutcomeOfItsCollectorAlone(_ error: String, _ outcome: PollReading.Outcome) throws {
    let (reading, page) = try read([Asking(), Reading()], ":7\r\n", error)
    #expect(reading.outcomes.map(\.outcome) == [outcome, .success])
    #expect(page == ["test_read 7"])
  }

  @Test func whatDidNotComeIsMissing() throws {
    let (reading, page) = try read([Reading(), Asking()], ":7\r\n")
    #expect(reading.outcomes.map(\.outcome) == [.success, .missing("no reply before the deadline")])
    #expect(page == ["test_read 7"])
  }

  /// What the snapshot keeps for the topology: only where somebody asks, and without what was refused or did not come.
  @Test func theFactsOfAMember() throws {
    let info = "redis_version:7.0.15\nredis_mode:cluster\ncluster_enabled:1\nrole:master"
    let nodes = bulk("0123456789012345678901234567890123456789 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-5")
    let messages = bulk("cluster_stats_messages_ping_sent:5\r\n")
    let member = MembershipCollector(masters: MasterNames())
    #expect(try read([ClusterCollector()], info: info, messages).reading.member == nil)

    let all = try read([ClusterCollector(), member], info: info, messages, nodes).reading
    #expect(all.member?.cluster?.nodes.count == 1 && all.member?.clusterMessages?.failNoticeCount == 0)
    let refused = try read([ClusterCollector(), member], info: info, messages, "-NOPERM no\r\n").reading
    #expect(refused.outcomes.last?.outcome == .refused("no_permission"))
    #expect(refused.member?.cluster == nil && refused.member?.clusterMessages != nil)
    let cut = try read([ClusterCollector(), member], info: info, messages).reading
    #expect(
      cut.outcomes.last?.outcome == .missing("no reply before the deadline") && cut.member != nil
        && cut.member?.cluster == nil)
  }
}
