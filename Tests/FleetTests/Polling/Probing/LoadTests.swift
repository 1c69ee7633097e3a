import Redis
import Runtime
import Testing

@testable import Fleet

struct LoadTests {
  // MARK: Event loop

  /// Busy microseconds, seconds and the ratio that follows.
  @Test(
    arguments: [
      ([(0, 10), (2_500_000, 20)], 0.25),
      ([(0, 10), (11_000_000, 20)], 1),
      ([(5_000_000, 10), (1_000_000, 20)], nil),
      ([(5_000_000, 10), (1_000_000, 20), (2_000_000, 30)], 0.1),
      ([(0, 10), (1_000_000, 20), (1_100_000, 20.1)], 0.1),
      ([(0, 10), (1_000_000, 20), (1_100_000, 20.1), (6_000_000, 30)], 0.5),
      ([(7, 10)], nil), ([(0, 10), (1, 20), (nil, 30)], nil),
    ] as [([(Double?, Double)], Double?)])
  func eventLoop(_ polls: [(Double?, Double)], _ ratio: Double?) {
    var load = EventLoopLoad()
    for (busy, seconds) in polls { load.note(busyMicroseconds: busy, at: .init(seconds: seconds)) }
    #expect(load.ratio == ratio)
  }

  // MARK: Slow commands

  @Test(
    arguments: [
      (0.01, 0.008454143), (0.005, 0.004227071), (0.008454143, 0.008454143), (60, 1.082130431), (0.000001, nil),
    ] as [(Double, Double?)])
  func theLargestEdgeWithinTheObjective(_ objective: Double, _ edge: Double?) {
    #expect(SlowCommands.step(within: objective).map { LatencyGrid.edgeSeconds[$0] } == edge)
  }

  /// A reply to LATENCY HISTOGRAM with calls up to 4.2 ms, up to 8.4 ms and up to 16.9 ms.
  private func latency(_ fast: Int, _ medium: Int, _ slow: Int, command: String = "get") throws -> CommandLatency {
    let buckets = [(4227, fast), (8454, fast + medium), (16908, fast + medium + slow)]
    let words = buckets.map { ":\($0.0)\r\n:\($0.1)\r\n" }.joined()
    let text =
      "*2\r\n$\(command.utf8.count)\r\n\(command)\r\n*4\r\n$5\r\ncalls\r\n:\(fast + medium + slow)\r\n"
      + "$14\r\nhistogram_usec\r\n*6\r\n\(words)"
    let reply = try Replies.read(Array(text.utf8))[0]
    return CommandLatency(merging: try #require(CommandLatencies(reply, usages: CommandUsages(InfoText(bytes: [])))))
  }

  @Test func countsGoOnOverResetsAndObjectives() throws {
    var slow = SlowCommands()
    let (ten, five) = (SlowCommands.step(within: 0.01), SlowCommands.step(within: 0.005))
    slow.note(try latency(100, 50, 20), beyond: ten)
    #expect(slow.count == 0, "what was before the watching is not counted")
    slow.note(try latency(100, 60, 23), beyond: ten)
    #expect(slow.count == 3)
    // A peak tightens the objective.
    slow.note(try latency(100, 64, 25), beyond: five)
    #expect(slow.count == 9)
    // CONFIG RESETSTAT.
    slow.note(try latency(10, 0, 4), beyond: five)
    #expect(slow.count == 13)
    // Again, and more calls than before it within one interval.
    slow.note(try latency(1000, 0, 2), beyond: five)
    #expect(slow.count == 15)
    slow.note(try latency(2000, 0, 9), beyond: nil)
    #expect(slow.count == 15, "the objective is off")
    slow.restart()
    slow.note(try latency(3000, 0, 10), beyond: ten)
    #expect(slow.count == 25, "a new process begins at 0")
  }

  @Test func callsThatWaitByDesignAreNotSlow() throws {
    #expect(try latency(0, 0, 7, command: "blpop") == .none)
    #expect(try latency(0, 0, 7, command: "get").calls(beyond: 13) == 7)
  }

  @Test func aPollCountsOnceAndAMemberThatLeavesIsForgotten() throws {
    let address = Readings.address(1)
    var tracker = LoadTracker()
    func poll(_ runID: String, _ slow: Int, busy: Int, seconds: Double) throws {
      var facts = Readings.facts("role:master\nrun_id:\(runID)\neventloop_duration_sum:\(busy)\n")
      facts.latency = try latency(0, 0, slow)
      tracker.note(
        [MemberReading(address, answers: true, facts: facts, began: .init(seconds: seconds))],
        slowerThan: SlowCommands.step(within: 0.01))
    }
    try poll("a", 5, busy: 0, seconds: 10)
    try poll("a", 9, busy: 5_000_000, seconds: 20)
    try poll("a", 9, busy: 5_000_000, seconds: 20)
    #expect(tracker[address].slowCommandCount == 4 && tracker[address].eventLoopBusyRatio == 0.5)
    // Restarted, and already beyond what it had counted before.
    try poll("b", 20, busy: 9_000_000, seconds: 30)
    #expect(tracker[address].slowCommandCount == 24 && tracker[address].eventLoopBusyRatio == nil)
    tracker.note([Readings.down(1)], slowerThan: 13)
    #expect(tracker[address].slowCommandCount == 24)
    tracker.forget([address])
    #expect(tracker[address].slowCommandCount == nil)
  }
}
