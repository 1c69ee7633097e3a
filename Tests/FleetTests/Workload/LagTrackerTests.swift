import Redis
import Runtime
import Testing

@testable import Fleet

@Suite struct LagTrackerTests {
  private func master(_ port: Int, offset: Int, replica: Int, at replicaOffset: Int, seconds: Double) -> MemberReading {
    MemberReading(
      Readings.address(port), answers: true,
      facts: Readings.facts(
        """
        role:master
        run_id:\(port)
        master_replid:same
        master_repl_offset:\(offset)
        slave0:ip=10.0.0.1,port=\(replica),state=online,offset=\(replicaOffset),lag=0

        """), began: .init(seconds: seconds))
  }

  @Test func theHistoryIsKeptOverAFailover() throws {
    var tracker = LagTracker()
    let (one, two, three) = (Readings.address(1), Readings.address(2), Readings.address(3))
    func update(_ master: NodeAddress, _ replicas: Set<NodeAddress>, _ reading: MemberReading) {
      tracker.update(
        [ReplicationGroup(master: master, replicas: replicas)], readings: [reading.address: reading],
        at: reading.began)
    }
    update(one, [two, three], master(1, offset: 100, replica: 3, at: 100, seconds: 10))
    update(one, [two, three], master(1, offset: 200, replica: 3, at: 200, seconds: 20))
    // Two takes over where one was; three has not moved since.
    update(two, [one, three], master(2, offset: 300, replica: 3, at: 200, seconds: 30))
    let lag = try #require(tracker.lag(of: three, at: 30))
    #expect(lag.state == .online && lag.bytes == 100)
    #expect(lag.seconds == 10 && !lag.isAtLeast)
    #expect(tracker.lag(of: two, at: 30) == nil, "a master has no lag")
  }

  @Test func aFailoverLosesAllWithoutAReplicaThatCanBePromoted() {
    var tracker = LagTracker()
    let (one, two) = (Readings.address(1), Readings.address(2))
    #expect(tracker.failoverLossSeconds(electable: [two], at: 0) == nil)
    tracker.update(
      [ReplicationGroup(master: one, replicas: [two])],
      readings: [one: master(1, offset: 5, replica: 2, at: 5, seconds: 1)], at: 1)
    #expect(tracker.failoverLossSeconds(electable: [two], at: 1) == 0)
    #expect(tracker.failoverLossSeconds(electable: [], at: 1) == .infinity)
  }
}
