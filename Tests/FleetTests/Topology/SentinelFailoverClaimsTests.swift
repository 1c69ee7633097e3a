import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// What it takes for a switch to count where there are several Sentinels.
@Suite struct SentinelFailoverClaimsTests {
  static func address(_ number: Int) -> NodeAddress { NodeAddress(host: "10.0.0.\(number)", port: 6379) }

  static func tracker(voters: Int, at seconds: Double = 0) -> SentinelFailoverTracker {
    var tracker = SentinelFailoverTracker(masterName: "m")
    tracker.voterCount = voters
    for voter in 1...voters { _ = observe(&tracker, "s\(voter)", epoch: 1, master: 1, at: seconds) }
    return tracker
  }

  static func observe(
    _ tracker: inout SentinelFailoverTracker, _ sentinel: String, epoch: Int, master: Int, at seconds: Double
  ) -> [FailoverAction] {
    tracker.observe(
      .init(
        sentinel: sentinel, configEpoch: epoch, address: address(master), sentinelCount: 3,
        moment: .init(seconds: seconds)))
  }

  static func hear(
    _ tracker: inout SentinelFailoverTracker, _ sentinel: String, _ from: Int, _ to: Int, at seconds: Double
  ) -> [FailoverAction] {
    tracker.receive(
      .switchMaster(name: "m", from: address(from), to: address(to)), from: sentinel, at: .init(seconds: seconds))
  }

  static func counted(_ actions: [FailoverAction]) -> Int {
    actions.count { if case .count = $0 { true } else { false } }
  }

  @Test(arguments: [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
  func mostSentinelsMakeItTrue(_ voters: Int, needed: Int) {
    var tracker = Self.tracker(voters: voters)
    for voter in 1...voters {
      let actions = Self.hear(&tracker, "s\(voter)", 1, 2, at: 10 + Double(voter) / 1000)
      #expect(Self.counted(actions) == (voter == needed ? 1 : 0))
    }
    #expect(tracker.state.counts.values.reduce(0, +) == 1 && tracker.unconfirmedCount == 0)
    #expect(tracker.state.address == Self.address(2))
  }

  /// The leader tells of the promotion first and of the switch last, when the replicas have turned.
  @Test func theLeaderVouchesByThePromotion() {
    var tracker = Self.tracker(voters: 3)
    let promotion = SentinelEvent(
      channel: "+promoted-slave", payload: "slave x 10.0.0.2 6379 @ m 10.0.0.1 6379")
    #expect(Self.counted(tracker.receive(promotion, from: "s1", at: 9)) == 0)
    #expect(Self.counted(Self.hear(&tracker, "s2", 1, 2, at: 10)) == 1)
    #expect(Self.counted(Self.hear(&tracker, "s3", 1, 2, at: 10) + Self.hear(&tracker, "s1", 1, 2, at: 11)) == 0)
  }

  @Test func theServersThemselvesMakeItTrue() {
    var tracker = Self.tracker(voters: 3)
    #expect(Self.hear(&tracker, "s1", 1, 2, at: 10) == [.poll])
    let roles: [[NodeAddress: FailoverEvidence.Role]] = [
      [:], [Self.address(1): .master, Self.address(2): .replica], [Self.address(1): .master, Self.address(2): .master],
      [Self.address(1): .silent, Self.address(2): .silent],
    ]
    for role in roles { #expect(tracker.settleClaims(at: 11) { role[$0] }.isEmpty) }
    let turned: [NodeAddress: FailoverEvidence.Role] = [Self.address(1): .replica, Self.address(2): .master]
    #expect(Self.counted(tracker.settleClaims(at: 12) { turned[$0] }) == 1)
  }

  @Test func oneLiarAmongThreeCountsNothingAndHidesNothing() {
    var tracker = Self.tracker(voters: 3)
    var counted = 0
    for step in 0..<2000 {
      let seconds = 10 + Double(step) / 20
      counted += Self.counted(Self.hear(&tracker, "s1", 10 + step % 40, 10 + (step + 1) % 40, at: seconds))
      counted += Self.counted(Self.observe(&tracker, "s1", epoch: .max - step % 2, master: 10 + step % 40, at: seconds))
      if step % 100 == 0 {
        for voter in ["s2", "s3"] {
          counted += Self.counted(Self.observe(&tracker, voter, epoch: 1, master: 1, at: seconds))
        }
      }
    }
    #expect(counted == 0 && tracker.unconfirmedCount > 1900)
    #expect(tracker.state.address == Self.address(1) && tracker.state.configEpoch == 1)
    #expect(Self.hear(&tracker, "s2", 1, 2, at: 200) == [.poll])
    #expect(Self.counted(Self.hear(&tracker, "s3", 1, 2, at: 200.1)) == 1)
  }

  /// A failover that was not heard is found by the epoch that most have reached.
  @Test func anEpochCountsWhenMostHaveReachedIt() {
    var tracker = Self.tracker(voters: 3)
    var counted = 0
    for second in 10..<30 {
      counted += Self.counted(Self.observe(&tracker, "s1", epoch: 5, master: 2, at: Double(second)))
    }
    #expect(counted == 0)
    for second in 30..<40 {
      counted += Self.counted(Self.observe(&tracker, "s2", epoch: 2, master: 2, at: Double(second)))
    }
    #expect(counted == 1 && tracker.state.counts[.missed] == 1 && tracker.state.configEpoch == 2)
  }

  @Test func aLoneSentinelThatFloodsIsCountedAtAPace() {
    var tracker = Self.tracker(voters: 1)
    var counted = 0
    for step in 0..<6000 {
      counted += Self.counted(
        Self.hear(&tracker, "s1", 10 + step % 40, 10 + (step + 1) % 40, at: 10 + Double(step) / 100))
    }
    #expect((10...24).contains(counted))
  }
}
