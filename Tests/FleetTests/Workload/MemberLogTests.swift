import Redis
import Runtime
import Storage
import TestSupport
import Testing

@testable import Fleet

@Suite struct MemberLogTests {
  static let base = "role:master\nrun_id:one\nmaxmemory:100\nmaxmemory_policy:noeviction\n"

  /// A member before and after, and the kinds of the events that follow; nil is a member that does not answer.
  static let changes: [(before: String?, after: String?, kinds: [EventKind])] = [
    (base, base, []),
    (base, nil, [.unreachable]),
    (nil, base, [.recovered]),
    (base, base.replacing("run_id:one", with: "run_id:two"), [.restart]),
    (base, base.replacing("role:master", with: "role:slave"), [.roleChange]),
    (base, base.replacing("maxmemory:100", with: "maxmemory:200"), [.configChange]),
    (base, base + "cmdstat_flushall:calls=1,usec=5\n", [.flush]),
    (base + "cmdstat_flushdb:calls=2,usec=5\n", base + "cmdstat_flushdb:calls=2,usec=5\n", []),
    // Another process counts from the start, and so does CONFIG RESETSTAT.
    (base, base.replacing("run_id:one", with: "run_id:two") + "cmdstat_flushall:calls=1,usec=5\n", [.restart, .flush]),
    (base + "cmdstat_flushall:calls=3,usec=5\n", base, []),
    (base + "cmdstat_flushall:calls=3,usec=5\n", base + "cmdstat_flushall:calls=1,usec=5\n", [.flush]),
  ]

  private func reading(_ lines: String?, at seconds: Double) -> MemberReading {
    MemberReading(
      Readings.address(1), answers: lines != nil, facts: lines.map { Readings.facts($0) },
      began: .init(seconds: seconds))
  }

  @Test(arguments: changes) func tellsWhatChanged(_ change: (before: String?, after: String?, kinds: [EventKind])) {
    var log = MemberLog()
    func note(_ lines: String?, at seconds: Double) -> [Event] {
      log.note([reading(lines, at: seconds)], workload: "w", instance: { "node-\($0.port)" }, at: 5)
    }
    #expect(note(change.before, at: 1).isEmpty, "the first sight is no event")
    let events = note(change.after, at: 2)
    #expect(events.map(\.kind) == change.kinds)
    #expect(events.allSatisfy { $0.workload == "w" && $0.node == "node-1" && !$0.summary.contains("after a restart") })
    #expect(note(change.after, at: 3).isEmpty, "nothing is told twice")
  }

  /// The same changes while nobody watched.
  @Test(arguments: changes) func tellsWhatChangedMeanwhile(
    _ change: (before: String?, after: String?, kinds: [EventKind])
  ) {
    var first = MemberLog()
    _ = first.note([reading(change.before, at: 1)], workload: "w", instance: { _ in "n" }, at: 5)
    let kept = first.takeChanges().compactMapValues { $0?.text }.compactMapValues { MemberRecord(text: $0) }
    #expect(kept == first.records && first.takeChanges().isEmpty)
    var second = MemberLog(kept)
    let events = second.note([reading(change.after, at: 1)], workload: "w", instance: { _ in "n" }, at: 9)
    #expect(events.map(\.kind) == change.kinds)
    #expect(events.allSatisfy { $0.summary.contains("after a restart") })
    #expect(second.note([reading(change.after, at: 2)], workload: "w", instance: { _ in "n" }, at: 9).isEmpty)
  }

  @Test func aRestartIsSeenAcrossAnOutage() {
    var log = MemberLog()
    var seconds = 0.0
    func kinds(_ lines: String?) -> [EventKind] {
      seconds += 1
      return log.note([reading(lines, at: seconds)], workload: "w", instance: { _ in "n" }, at: 5).map(
        \.kind)
    }
    _ = kinds(Self.base)
    #expect(kinds(nil) == [.unreachable])
    #expect(kinds(Self.base.replacing("run_id:one", with: "run_id:two")) == [.recovered, .restart])
  }

  @Test func settingsThatChangeAreNamed() throws {
    func reading(_ settings: [(String, String)], at seconds: Double) throws -> MemberReading {
      var facts = Readings.facts(Self.base)
      let reply = try SentinelViewTests.reply(SentinelViewTests.details(settings))
      facts.config = ConfigDigest(try #require(ServerConfig(reply)))
      return MemberReading(Readings.address(1), answers: true, facts: facts, began: .init(seconds: seconds))
    }
    var log = MemberLog()
    func note(_ settings: [(String, String)], at seconds: Double) throws -> [String] {
      let readings = [try reading(settings, at: seconds)]
      return log.note(readings, workload: "w", instance: { _ in "n" }, at: 5).map(\.summary)
    }
    let base = [("log-test-timeout", "0"), ("log-test-hz", "10"), ("replicaof", "a 1")]
    let changed = [("log-test-timeout", "5"), ("log-test-hz", "20"), ("replicaof", "a 1")]
    #expect(try note(base, at: 1) == [])
    #expect(try note([base[0], base[1], ("replicaof", "b 1")], at: 2) == [], "a failover changes that")
    #expect(try note(changed, at: 3) == ["n has another value of log-test-hz, log-test-timeout"])
    // After a restart only that they are others is known.
    let kept = log.takeChanges().compactMapValues { $0?.text }.compactMapValues { MemberRecord(text: $0) }
    log = MemberLog(kept)
    #expect(try note(base, at: 4) == ["n has other settings than before, found after a restart of redline"])
    #expect(try note(base, at: 5) == [])
  }

  @Test func whoIsForgottenIsNewWhenItComesBack() {
    var log = MemberLog()
    _ = log.note([reading(Self.base, at: 1)], workload: "w", instance: { _ in "n" }, at: 5)
    _ = log.takeChanges()
    log.forget([Readings.address(1)])
    #expect(log.takeChanges() == [Readings.address(1): MemberRecord?.none])
    let other = Self.base.replacing("run_id:one", with: "run_id:two")
    #expect(log.note([reading(other, at: 2)], workload: "w", instance: { _ in "n" }, at: 5).isEmpty)
  }

  @Test(arguments: ["", "instance", "answers yes\nrun x"]) func aRecordThatIsDamagedIsNone(_ text: String) {
    #expect(MemberRecord(text: text) == nil)
  }
}
