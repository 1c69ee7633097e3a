import Redis
import Storage
import Testing

@testable import Fleet

@Suite struct MemberJournalTests {
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
    // Another process counts from the start; its flushes are not ours.
    (base, base.replacing("run_id:one", with: "run_id:two") + "cmdstat_flushall:calls=1,usec=5\n", [.restart]),
  ]

  private func reading(_ lines: String?) -> MemberReading {
    lines.map { Readings.up(Readings.address(1), $0) } ?? Readings.down(1)
  }

  @Test(arguments: changes) func tellsWhatChanged(_ change: (before: String?, after: String?, kinds: [EventKind])) {
    var journal = MemberJournal()
    func note(_ lines: String?) -> [Event] {
      journal.note([reading(lines)], workload: "w", instance: { "node-\($0.port)" }, atSeconds: 5)
    }
    #expect(note(change.before).isEmpty, "the first sight is no event")
    let events = note(change.after)
    #expect(events.map(\.kind) == change.kinds)
    #expect(events.allSatisfy { $0.workload == "w" && $0.node == "node-1" })
    #expect(note(change.after).isEmpty, "nothing is told twice")
  }

  @Test func aRestartIsSeenAcrossAnOutage() {
    var journal = MemberJournal()
    func kinds(_ lines: String?) -> [EventKind] {
      journal.note([reading(lines)], workload: "w", instance: { _ in "n" }, atSeconds: 5).map(\.kind)
    }
    _ = kinds(Self.base)
    #expect(kinds(nil) == [.unreachable])
    #expect(kinds(Self.base.replacing("run_id:one", with: "run_id:two")) == [.recovered, .restart])
  }
}
