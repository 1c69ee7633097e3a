import Fleet
import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct DrillOutcomeTests {
  static func moment(_ seconds: Double) -> Monotonic { Monotonic(seconds: seconds) }

  static func ack(_ number: Int32, _ seconds: Double, by master: Int32) -> Ack {
    Ack(writer: 0, number: number, master: master, at: moment(seconds))
  }

  static let masters = [
    LedgerMaster(runID: "old", address: "10.0.0.1:6379"), LedgerMaster(runID: "new", address: "10.0.0.2:6379"),
  ]

  static func outcome(
    _ fault: DrillFault = .exec, lost: [Ack] = [], change: (inout DrillOutcome) -> Void = { _ in }
  ) -> DrillOutcome {
    var outcome = DrillOutcome(workload: "carts", settings: DrillSettings(fault: fault), run: "0123abcd")
    let acks = [ack(0, 1, by: 0), ack(1, 9.9, by: 0), ack(2, 10.2, by: 0), ack(3, 12, by: 1), ack(4, 12.5, by: 1)]
    outcome.writes.isReadBack = true
    outcome.faultWall = WallTime(seconds: 1_800_000_000)
    outcome.times.switched = 1.5
    outcome.oldMaster.isBack = true
    outcome.cost = .init(
      cost: Failover.Cost(outageSeconds: 0, lostBytes: .exactly(0), lostWrites: .exactly(0)), isOfDaemon: false)
    outcome.take(acks, lost: lost, masters: masters, oldRunID: "old", faultAt: moment(10))
    change(&outcome)
    return outcome
  }

  static func answer(_ outcome: DrillOutcome, _ check: String) -> CheckResult.Answer? {
    outcome.results.first { $0.check == "drill-\(check)" }?.answer
  }

  @Test func theOutageIsTheLongestGapAfterTheFault() {
    func gap(_ seconds: [Double]) -> Double? {
      DrillOutcome.longestGap(seconds.map { Self.moment($0) }, since: Self.moment(10))
    }
    #expect(gap([]) == nil)
    #expect(gap([1, 2, 9]) == nil, "nothing was acknowledged afterwards")
    #expect(gap([1, 9, 11, 11.5]) == 1, "what was before the fault does not count")
    #expect(gap([9, 12, 11, 10.5, 16]) == 4, "in whatever order they come")
  }

  @Test func whatIsLostIsToldByWhoAcknowledgedIt() {
    let outcome = Self.outcome(lost: [Self.ack(2, 10.2, by: 0), Self.ack(1, 9.9, by: 0)])
    #expect(outcome.lostCount == 2)
    #expect(outcome.writes.losses.map(\.master.runID) == ["old"])
    #expect(
      abs(outcome.writes.losses[0].firstSeconds + 0.1) < 1e-6 && abs(outcome.writes.losses[0].lastSeconds - 0.2) < 1e-6)
    #expect(outcome.times.firstAck == 2)
    #expect(Self.answer(outcome, "lost-writes") == .finding)
    #expect(outcome.report.verdict == .finding)
    #expect(outcome.numbers["lost_writes"] == 2)
  }

  @Test func aGoodDrillIsOK() {
    let outcome = Self.outcome()
    #expect(outcome.results.allSatisfy { $0.answer == .ok }, "\(outcome.results)")
    #expect(outcome.report.verdict == .ok)
    #expect(
      Set(outcome.numbers.keys).isSuperset(of: [
        "switch_seconds", "outage_seconds", "acknowledged_writes", "lost_writes",
      ]))
    #expect(outcome.numbers["detect_seconds"] == nil, "nobody found anything down")
  }

  @Test func unknownIsNeverOK() {
    #expect(Self.outcome { $0.writes.isReadBack = false }.report.verdict == .unknown)
    #expect(Self.outcome { $0.writes.isReadBack = false }.numbers["lost_writes"] == nil)
    #expect(Self.outcome { $0.end = .interrupted }.report.verdict == .unknown)
    #expect(Self.outcome { $0.end = .notBegun("errors") }.report.verdict == .unknown)
    #expect(Self.outcome { $0.cost = nil }.report.verdict == .unknown)
    let lost = [Self.ack(2, 10.2, by: 0)]
    #expect(Self.answer(Self.outcome(lost: lost) { $0.writes.isTooLate = true }, "lost-writes") == .unknown)
    #expect(Self.answer(Self.outcome(lost: lost) { $0.writes.evictedCount = 3 }, "lost-writes") == .unknown)
  }

  @Test func theLedgerIsHeldAgainstTheOffsets() {
    func answer(lost: Int, _ estimate: Failover.Loss) -> CheckResult.Answer? {
      let acks = (0..<Int32(clamping: lost)).map { Self.ack($0, 10.1, by: 0) }
      return Self.answer(
        Self.outcome(lost: acks) {
          $0.cost = .init(
            cost: Failover.Cost(outageSeconds: 0, lostBytes: .exactly(5000), lostWrites: estimate), isOfDaemon: true)
        }, "estimate")
    }
    #expect(answer(lost: 100, .exactly(100)) == .ok)
    #expect(answer(lost: 100, .exactly(5000)) == .ok, "others write as well")
    #expect(answer(lost: 100, .exactly(50)) == .finding)
    #expect(answer(lost: 0, .exactly(1)) == .ok)
    #expect(answer(lost: 0, .exactly(500)) == .finding, "others lost what canaries did not")
  }

  @Test func aCommandThatEndsNobodyIsFound() {
    #expect(Self.answer(Self.outcome(.kill), "fault") == .finding)
    #expect(Self.answer(Self.outcome(.kill) { $0.oldMaster.isGone = true }, "fault") == nil)
    #expect(Self.answer(Self.outcome(.exec), "fault") == nil)
  }

  @Test func textAndMarkdownAndJSONTellTheSame() throws {
    let outcome = Self.outcome(lost: [Self.ack(2, 10.2, by: 0)]) { $0.isLocal = true }
    let text = DrillText(outcome)
    for form in [text.plain, text.markdown] {
      #expect(form.contains("1 of 5 acknowledged writes are lost"))
      #expect(form.contains("run_id old"))
      #expect(form.contains("on this machine"))
    }
    let json = try JSONReader.value(Array(text.json.utf8))
    #expect(json["numbers"]?["lost_writes"]?.number == 1)
    #expect(json["lost"]?.elements.first?["runID"]?.string == "old")
    #expect(json["results"]?.elements.count == outcome.results.count)
  }

  @Test func aResultCanBeReadBack() throws {
    let report = Self.outcome(lost: [Self.ack(2, 10.2, by: 0)]).report
    let again = try CheckReport(json: report.json, now: .now)
    #expect(again.check == "drill" && again.verdict == .finding && again.numbers == report.numbers)
  }
}
