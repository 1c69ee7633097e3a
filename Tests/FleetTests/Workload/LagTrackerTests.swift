import Redis
import Runtime
import TestSupport
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
        [ReplicationGroup(master: master, replicas: replicas)], [reading], at: reading.began)
    }
    update(one, [two, three], master(1, offset: 100, replica: 3, at: 100, seconds: 10))
    update(one, [two, three], master(1, offset: 200, replica: 3, at: 200, seconds: 20))
    // Two takes over where one was; three has not moved since, and was 5 s late then.
    update(two, [one, three], master(2, offset: 300, replica: 3, at: 150, seconds: 90))
    let lag = try #require(tracker.lag(of: three, at: 90))
    #expect(lag.state == .online && lag.bytes == 150)
    #expect(lag.seconds == 5 && !lag.isAtLeast)
    #expect(tracker.lag(of: two, at: 90) == nil, "a master has no lag")
    update(two, [one, three], master(2, offset: 400, replica: 3, at: 150, seconds: 95))
    #expect(tracker.lag(of: three, at: 95)?.seconds == 10)
  }

  @Test func whoHoldsItselfForMasterHasNoLag() {
    var tracker = LagTracker()
    let (one, two) = (Readings.address(1), Readings.address(2))
    // Who is named as a replica says otherwise.
    let readings = [master(1, offset: 5, replica: 2, at: 5, seconds: 1), Readings.master(2, replicas: [])]
    tracker.update([ReplicationGroup(master: one, replicas: [two])], readings, at: 1)
    #expect(tracker.lag(of: two, at: 100) == nil)
  }

  @Test func theTimeWithoutAMasterIsNoLag() throws {
    var tracker = LagTracker()
    let (one, two, three) = (Readings.address(1), Readings.address(2), Readings.address(3))
    func update(_ group: ReplicationGroup, _ readings: MemberReading...) {
      tracker.update(
        [group], readings, at: readings[0].began)
    }
    update(
      ReplicationGroup(master: one, replicas: [two, three]), master(1, offset: 100, replica: 3, at: 100, seconds: 10))
    // Two is master before it lists anybody.
    let promoted = MemberReading(
      two, answers: true,
      facts: Readings.facts("role:master\nrun_id:2\nmaster_replid:other\nmaster_repl_offset:90\n"),
      began: .init(seconds: 75))
    update(ReplicationGroup(master: two, replicas: [one, three]), promoted)
    let lag = try #require(tracker.lag(of: three, at: 76))
    #expect(lag == .init(state: .disconnected, seconds: 1, isAtLeast: false, bytes: nil))
  }

  @Test func aFailoverLosesAllWithoutAReplicaThatCanBePromoted() {
    var tracker = LagTracker()
    let (one, two) = (Readings.address(1), Readings.address(2))
    #expect(tracker.failoverLossSeconds(electable: [two], at: 0) == nil)
    tracker.update(
      [ReplicationGroup(master: one, replicas: [two])],
      [master(1, offset: 5, replica: 2, at: 5, seconds: 1)], at: 1)
    #expect(tracker.failoverLossSeconds(electable: [two], at: 1) == 0)
    #expect(tracker.failoverLossSeconds(electable: [], at: 1) == .infinity)
  }
}
