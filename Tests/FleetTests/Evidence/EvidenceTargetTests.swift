import NIOCore
import Redis
import Runtime
import Testing

@testable import Fleet

struct EvidenceTargetTests {
  private func server(
    _ name: String, _ role: FleetMember.Role, shard: Int = 0, lag: Double? = nil, isDown: Bool = false
  ) -> EvidenceCandidate {
    EvidenceCandidate(
      instance: name, role: role, shard: shard, lagSeconds: lag, error: isDown ? RedisError(.connect, "refused") : nil,
      lastAnswer: nil, isLeftAlone: false,
      connection: ConnectionOptions(address: RedisAddress(endpoint: .tcp(host: name, port: 1))), poller: nil,
      cost: NodeCost())
  }

  private func chosen(_ candidates: [EvidenceCandidate], _ instances: [String], sentinel: Bool = false) -> [String] {
    EvidenceContext(candidates: candidates, masterName: nil, past: [:], findings: [])
      .targets(instances, wantsSentinel: sentinel).map(\.instance)
  }

  @Test func theServerItsMasterAndTheWorstReplica() {
    let cluster = [
      server("m1", .master), server("r1", .replica, lag: 1), server("r2", .replica, lag: 30),
      server("r3", .replica, lag: 2),
      server("m2", .master, shard: 1), server("s1", .replica, shard: 1, lag: 90),
    ]
    #expect(chosen(cluster, ["r1"]) == ["r1", "m1", "r2"])
    #expect(chosen(cluster, ["m2"]) == ["m2", "s1"])
    #expect(chosen(cluster, ["r1", "r2", "r3", "m1"]) == ["r1", "r2", "r3"])
    #expect(chosen(cluster, ["elsewhere"]) == ["m1", "m2", "s1"])
  }

  @Test func whoIsDownComesFirst() {
    let group = [server("a", .master), server("b", .replica), server("c", .master, isDown: true)]
    #expect(chosen(group, []) == ["c", "a", "b"])
    #expect(chosen([server("a", .replica), server("b", .unknown, isDown: true)], []) == ["b"])
    #expect(chosen([], ["a"]) == [])
  }

  @Test func oneSentinelOnTop() {
    let group = [
      server("a", .master), server("b", .replica), server("s1", .sentinel, isDown: true), server("s2", .sentinel),
    ]
    #expect(chosen(group, ["a"], sentinel: true) == ["a", "b", "s2"])
    #expect(chosen(group, ["a"]) == ["a", "b"])
    #expect(chosen(group, ["s1"]) == ["a", "b", "s2"])
  }
}
