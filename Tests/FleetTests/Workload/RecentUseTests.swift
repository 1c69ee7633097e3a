import Redis
import Runtime
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct RecentUseTests {
  /// Notes counts minute by minute; each entry adds commands and MOVED answers.
  static func use(
    _ minutes: [(commands: Int, moved: Int)], shifted: Double? = nil, every seconds: Double = 60
  ) -> RecentUse {
    var (use, mix) = (RecentUse(), CommandMix())
    for (index, minute) in ([(commands: 0, moved: 0)] + minutes).enumerated() {
      mix.commands += minute.commands
      mix.moved += minute.moved
      use.note(
        mix, runID: "r", at: Monotonic(seconds: Double(index) * seconds),
        shifted: shifted.map { Monotonic(seconds: $0) })
    }
    return use
  }

  @Test func countsTheLastFifteenMinutes() {
    let use = Self.use(Array(repeating: (commands: 100, moved: 2), count: 20))
    #expect(use.isFull && use.total.commands == 1500)
    #expect(use.settled(\.moved).count == 30 && use.settled(\.moved).steps == 15)
    #expect(!Self.use(Array(repeating: (commands: 100, moved: 2), count: 13)).isFull)
  }

  @Test func whatFollowsAShiftDoesNotCount() {
    let use = Self.use(Array(repeating: (commands: 100, moved: 2), count: 15), shifted: 0)
    // Ten minutes after it.
    #expect(use.settled(\.moved).steps == 5 && use.settled(\.moved).all.commands == 500)
  }

  @Test func aRestartAndAResetBeginAnew() {
    var use = Self.use([(commands: 100, moved: 1)])
    var mix = CommandMix()
    mix.commands = 50
    use.note(mix, runID: "r", at: Monotonic(seconds: 120), shifted: nil)
    #expect(use.total.commands == 100)
    mix.commands = 80
    use.note(mix, runID: "r", at: Monotonic(seconds: 180), shifted: nil)
    #expect(use.total.commands == 130)
    mix.commands = 1000
    use.note(mix, runID: "other", at: Monotonic(seconds: 240), shifted: nil)
    #expect(use.total.commands == 130)
  }

  /// Nobody knows in which minutes of an hour without polls it was.
  @Test func aGapTellsNothing() {
    #expect(Self.use([(commands: 100, moved: 50)], every: 3600).total == CommandMix())
  }

  @Test func readsTheCounts() {
    func mix(_ lines: String..., version: Version = Version(7, 2, 0)) -> CommandMix {
      CommandMix(InfoText(bytes: Array(lines.map { $0 + "\r\n" }.joined().utf8)), version: version)
    }
    let counted = mix(
      "total_commands_processed:9", "errorstat_READONLY:count=2", "errorstat_MOVED:count=3",
      "cmdstat_lpush:calls=4,usec=1", "cmdstat_brpop:calls=5,usec=1", "cmdstat_get:calls=6,usec=1",
      "cmdstat_lrange:calls=7,usec=1")
    #expect(
      [counted.commands, counted.readonly, counted.moved, counted.queueCalls, counted.cacheCalls] == [9, 2, 3, 9, 6])
    #expect(counted.countsErrors)
    #expect(!mix(version: Version(6, 0, 16)).countsErrors)
    #expect(!mix("errorstat_ERRORSTATS_DISABLED:count=1").countsErrors)
    // What no server counts.
    #expect(mix("total_commands_processed:-5", "errorstat_MOVED:count=-1").commands == 0)
  }

  @Test func aShiftIsAChangeOfMastersOrOfSlots() throws {
    func reading(_ lines: String, at seconds: Double) -> MemberReading {
      let info = InfoText(bytes: Array("run_id:r\r\n\(lines)\r\n".utf8))
      let facts = MemberFacts(
        info, config: nil, replies: [], server: ServerFacts(info), now: WallTime(seconds: 1000))
      return MemberReading(
        NodeAddress(host: "a", port: 1), answers: true, facts: facts, began: Monotonic(seconds: seconds),
        ended: WallTime(seconds: seconds))
    }
    var shifts = TopologyShifts()
    shifts.note([reading("role:master", at: 1)])
    shifts.note([reading("role:master", at: 2)])
    #expect(shifts.newest == nil)
    shifts.note([reading("role:slave", at: 3)])
    #expect(shifts.newest == Monotonic(seconds: 3))
  }
}
