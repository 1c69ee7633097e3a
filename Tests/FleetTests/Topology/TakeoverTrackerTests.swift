import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// What failovers cost, from what the servers said before and after.
@Suite struct TakeoverTrackerTests {
  /// Two servers and their clock.
  private struct Stage {
    var tracker = TakeoverTracker()
    let old = Readings.address(1)
    let new = Readings.address(2)
    private var probed: [NodeAddress: Monotonic] = [:]

    mutating func poll(
      _ address: NodeAddress, at seconds: Double, _ fields: [String]?, isProbeAnswered: Bool = true
    ) {
      let now = Monotonic(seconds: seconds)
      if isProbeAnswered { probed[address] = now }
      let lines = fields.map { (["run_id:\(address.port)"] + $0).joined(separator: "\n") + "\n" }
      tracker.note(
        [
          MemberReading(
            address, answers: lines != nil, facts: lines.map { Readings.facts($0) }, began: now,
            isProbeAnswered: isProbeAnswered, probeAnswered: probed[address])
        ] + others(than: address), at: now)
    }

    mutating func probe(_ address: NodeAddress, at seconds: Double) {
      let now = Monotonic(seconds: seconds)
      probed[address] = now
      let reading = MemberReading(
        address, answers: nil, facts: nil, began: .init(seconds: 0), isProbeAnswered: true, probeAnswered: now)
      tracker.note([reading] + others(than: address), at: now)
    }

    /// The other one stays known.
    private func others(than address: NodeAddress) -> [MemberReading] {
      [old, new].filter { $0 != address }.map {
        MemberReading($0, answers: nil, facts: nil, began: .init(seconds: 0), isProbeAnswered: nil)
      }
    }

    /// A thousand bytes and ten changes a second, for ten seconds.
    mutating func write(begins: Bool = true) {
      for second in 1...10 {
        poll(old, at: Double(second), master("a", offset: second * 1000, changes: second * 10))
        poll(new, at: Double(second), ["role:slave", "master_replid:a"])
      }
      if begins { begin() }
    }

    mutating func begin() {
      var failover = Failover(key: "1", subject: "m", kind: .automatic, counted: 0)
      (failover.from, failover.to) = (old, new)
      tracker.begin(failover)
    }

    func master(_ id: String, offset: Int, changes: Int = 0, after past: (id: String, end: Int)? = nil) -> [String] {
      [
        "role:master", "master_replid:\(id)", "master_repl_offset:\(offset)",
        "rdb_changes_since_last_save:\(changes)", "master_replid2:\(past?.id ?? "0000")",
        "second_repl_offset:\(past?.end ?? -1)",
      ]
    }

    var cost: Failover.Cost { tracker.cost(of: "1") ?? Failover.Cost() }
  }

  @Test func aMasterThatDiedIsKnownFromItsLastPoll() {
    var stage = Stage()
    stage.write()
    #expect(stage.cost == Failover.Cost(), "nothing is known yet")
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 9901, after: ("a", 9901)))
    // 9,900 bytes came over. At 10 s there were 10,000, and until 12 s there may have been twice as many as usual.
    #expect(stage.cost.outageSeconds == 5)
    #expect(stage.cost.lostBytes == .estimated(100, 4100) && stage.cost.lostWrites == .estimated(1, 41))
    #expect(!stage.tracker.isSettled("1"))
    // Another process at its address says nothing of what it had.
    stage.poll(stage.old, at: 20, ["run_id:other"] + stage.master("c", offset: 0))
    #expect(stage.cost.outageSeconds == 5 && stage.cost.lostBytes == .estimated(100, 4100))
  }

  @Test func aReplicaThatGotFurtherShowsHowFastItWas() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 12_901, after: ("a", 12_901)))
    // 2,900 bytes in the two seconds until it was found silent, not 2,000.
    #expect(stage.cost.lostBytes == .estimated(0, 2900))
  }

  @Test func onePollAloneTellsNoSpeed() {
    var stage = Stage()
    stage.poll(stage.old, at: 10, stage.master("a", offset: 10_000))
    stage.poll(stage.new, at: 10, ["role:slave", "master_replid:a"])
    stage.begin()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 10_001, after: ("a", 10_001)))
    #expect(stage.cost.outageSeconds == 5)
    #expect(stage.cost.lostBytes == nil)
    #expect(stage.cost.lostWrites == nil)
  }

  @Test func aMasterThatComesBackTellsExactly() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 9901, after: ("a", 9901)))
    // It hung, and does not know yet that it was replaced.
    stage.poll(stage.old, at: 20, stage.master("a", offset: 35_988))
    // What it takes until it is told is lost as well.
    #expect(stage.cost.outageSeconds == 5 && stage.cost.lostBytes == .atLeast(26_088))
    #expect(stage.cost.lostWrites == .atLeast(260) && !stage.tracker.isSettled("1"))
    #expect(stage.cost.words.last == "at least 26088 bytes (about 260 or more writes) were lost")
    // Then it waits for the data of the other.
    stage.poll(stage.old, at: 21, ["role:slave", "master_replid:a", "master_repl_offset:36000"])
    #expect(
      stage.cost.lostBytes == .exactly(26_100) && stage.cost.lostWrites == .exactly(261) && stage.tracker.isSettled("1")
    )
  }

  @Test func aMasterThatNobodyAskedInTimeIsAnInterval() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 9901, after: ("a", 9901)))
    // It has thrown away its own data.
    stage.poll(stage.old, at: 30, ["role:slave", "master_replid:b", "master_repl_offset:9950"])
    #expect(stage.cost.lostBytes == .estimated(100, 4100) && stage.tracker.isSettled("1"))
  }

  @Test func aPlannedFailoverLosesNothing() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.new, at: 10.5, stage.master("b", offset: 10_501, after: ("a", 10_501)))
    #expect(stage.cost.outageSeconds == nil, "whether the old one lives on shows its next answer")
    // It goes on from where it was with the stream of the other.
    stage.poll(
      stage.old, at: 11,
      ["role:slave", "master_replid:b", "master_repl_offset:10510", "master_replid2:a", "second_repl_offset:10501"])
    #expect(
      stage.cost.outageSeconds == 0 && stage.cost.lostBytes == .exactly(0) && stage.cost.lostWrites == .exactly(0))
    #expect(stage.tracker.isSettled("1"))
    #expect(stage.cost.words == ["the old master served until then", "no write was lost"])
  }

  @Test func aMasterThatSteppedDownLongBeforeLeftAGap() {
    var stage = Stage()
    stage.write()
    for second in 11...30 { stage.poll(stage.old, at: Double(second), ["role:slave", "master_replid:a"]) }
    stage.poll(stage.new, at: 30.5, stage.master("b", offset: 10_001, after: ("a", 10_001)))
    stage.poll(stage.old, at: 31, ["role:slave", "master_replid:a", "master_repl_offset:10000"])
    #expect(stage.cost.outageSeconds == 20.5 && stage.cost.lostBytes == .exactly(0))
  }

  @Test func aProbeThatIsAnsweredIsNoWordOnItsData() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.new, at: 10.5, stage.master("b", offset: 10_501, after: ("a", 10_501)))
    // It lives, but what it has by now only its next poll tells.
    stage.probe(stage.old, at: 10.7)
    #expect(stage.cost.outageSeconds == 0 && !stage.tracker.isSettled("1"))
    stage.poll(stage.old, at: 15, stage.master("a", offset: 15_000))
    #expect(stage.cost.lostBytes == .atLeast(4500) && !stage.tracker.isSettled("1"))
    stage.poll(stage.old, at: 16, ["role:slave", "master_replid:a", "master_repl_offset:15100"])
    #expect(stage.cost.lostBytes == .exactly(4600) && stage.tracker.isSettled("1"))
  }

  @Test func whatItHadAtItsEndIsKnownAlsoWhereThatIsCountedLater() {
    var stage = Stage()
    stage.write(begins: false)
    stage.poll(stage.new, at: 10.5, stage.master("b", offset: 9901, after: ("a", 9901)))
    stage.poll(stage.old, at: 11, ["role:slave", "master_replid:a", "master_repl_offset:10100"])
    stage.poll(stage.old, at: 12, ["role:slave", "master_replid:b", "master_repl_offset:9950"])
    stage.begin()
    #expect(stage.cost.lostBytes == .exactly(200) && stage.tracker.isSettled("1"))
  }

  @Test func whatIsNoChangeOfAKeyIsNoLostWrite() {
    var stage = Stage()
    stage.write()
    // At 9,900 bytes 99 changes had come over; Sentinels go on publishing through the old master.
    stage.poll(stage.new, at: 10.5, stage.master("b", offset: 9901, after: ("a", 9901)))
    stage.poll(stage.old, at: 12, stage.master("a", offset: 12_000, changes: 103))
    #expect(stage.cost.lostBytes == .atLeast(2100) && stage.cost.lostWrites == .atLeast(4))
    stage.poll(
      stage.old, at: 13,
      ["role:slave", "master_replid:a", "master_repl_offset:15000", "rdb_changes_since_last_save:105"])
    #expect(stage.cost.lostBytes == .exactly(5100) && stage.cost.lostWrites == .exactly(6))
    #expect(stage.cost.words.last == "5100 bytes (about 6 writes) were lost")
  }

  @Test func onlyWhatNoKeyChangedByIsNoLoss() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.new, at: 10.5, stage.master("b", offset: 10_001, after: ("a", 10_001)))
    stage.poll(
      stage.old, at: 13,
      ["role:slave", "master_replid:a", "master_repl_offset:10500", "rdb_changes_since_last_save:100"])
    #expect(stage.cost.lostBytes == .exactly(500) && stage.cost.lostWrites == .exactly(0))
    #expect(stage.cost.words.last == "no write was lost")
  }

  @Test func anEstimateIsNeverExact() {
    var stage = Stage()
    for second in 1...10 { stage.poll(stage.old, at: Double(second), stage.master("a", offset: 10_000)) }
    stage.poll(stage.new, at: 10, ["role:slave", "master_replid:a"])
    stage.begin()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 10_001, after: ("a", 10_001)))
    // Nobody wrote for ten seconds; whether somebody did in the last two was not seen.
    #expect(stage.cost.lostBytes == nil && stage.cost.lostWrites == nil)
    #expect(stage.cost.words.last == "what was lost is not known")
  }

  @Test func wordsSayWhatIsExactAndWhatIsNot() {
    func words(_ bytes: Failover.Loss?, _ writes: Failover.Loss?) -> String {
      var cost = Failover.Cost()
      (cost.lostBytes, cost.lostWrites) = (bytes, writes)
      return cost.lostWords
    }
    #expect(words(.exactly(200), .exactly(2)) == "200 bytes (about 2 writes) were lost")
    #expect(words(.estimated(0, 200), .estimated(0, 2)) == "at most about 200 bytes (about 2 writes) were lost")
    #expect(
      words(.estimated(100, 200), .estimated(1, 2))
        == "at least 100 and at most about 200 bytes (about 1 to 2 writes) were lost")
    #expect(words(.estimated(100, 50), nil) == "at least 100 bytes were lost")
    #expect(words(.estimated(0, 0), nil) == "what was lost is not known")
    #expect(Failover.Cost().words == ["what it cost is not known"])
  }

  @Test func anotherHistorySaysNothing() {
    var stage = Stage()
    stage.write()
    stage.poll(stage.old, at: 12, nil, isProbeAnswered: false)
    stage.poll(stage.new, at: 15, stage.master("b", offset: 9901, after: ("z", 9901)))
    #expect(stage.cost.outageSeconds == 5 && stage.cost.lostBytes == nil && stage.cost.lostWrites == nil)
    #expect(stage.cost.words == ["no master answered for 5.0 s", "what was lost is not known"])
  }
}
