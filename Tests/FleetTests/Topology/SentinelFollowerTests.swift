import Redis
import TestSupport
import Testing

@testable import Fleet

@Suite struct SentinelFollowerTests {
  private func instance(_ port: Int, _ more: [(String, String)]) throws -> Reply {
    try SentinelViewTests.reply(SentinelViewTests.details([("ip", "10.0.0.1"), ("port", "\(port)")] + more))
  }

  /// A Sentinel at a port whose id is `sPORT` that names a master, replicas and peers.
  private func sentinel(
    _ port: Int, id: String?, master: Int, replicas: [Int], peers: [Int], downPeers: [Int] = []
  ) throws -> MemberReading {
    var facts = Readings.facts("redis_mode:sentinel\nrun_id:run\(port)\n# Sentinel\nsentinel_masters:1\n")
    facts.sentinel = MemberFacts.SentinelFacts(
      id: id,
      master: MonitoredMaster(try instance(master, [("name", "m"), ("flags", "master"), ("config-epoch", "1")])),
      replicas: try replicas.compactMap {
        MonitoredReplica(
          try instance(
            $0,
            [
              ("flags", "slave"), ("master-host", "10.0.0.1"), ("master-port", "\(master)"),
              ("master-link-status", "ok"), ("slave-priority", "100"),
            ]))
      },
      peers: try (peers + downPeers).compactMap {
        PeerSentinel(
          try instance($0, [("runid", "s\($0)"), ("flags", downPeers.contains($0) ? "sentinel,s_down" : "sentinel")]))
      }, quorum: .reached(usableCount: 3))
    return MemberReading(Readings.address(port), answers: true, facts: facts, began: 1)
  }

  @Test func findsMembersAndSentinelsFromOneSeed() throws {
    var follower = SentinelFollower(seeds: [Readings.address(91)], expectedSentinelCount: 3)
    let one = try sentinel(91, id: "s91", master: 1, replicas: [2, 3], peers: [92, 93])
    let following = follower.follow([], sentinels: [one])
    #expect(following.listings.map(\.address.port) == [1, 2, 3])
    #expect(following.sentinels.map(\.port).sorted() == [91, 92, 93])
    #expect(following.sentinelView?.masterAddress == Readings.address(1))
  }

  @Test func rememberedDeadSentinelsAreAskedOnlyWhileSomeAreMissing() throws {
    var follower = SentinelFollower(seeds: [Readings.address(91)], expectedSentinelCount: 2)
    let one = try sentinel(91, id: "s91", master: 1, replicas: [], peers: [92], downPeers: [99])
    let two = try sentinel(92, id: "s92", master: 1, replicas: [], peers: [91], downPeers: [99])
    #expect(follower.follow([], sentinels: [one]).sentinels.map(\.port).sorted() == [91, 92, 99])
    #expect(follower.follow([], sentinels: [one, two]).sentinels.map(\.port).sorted() == [91, 92])
  }

  /// Before 6.2 a Sentinel does not tell its id, but its peers do.
  @Test func aSentinelWithoutMyIDIsKnownByWhatPeersCallIt() throws {
    let one = try sentinel(91, id: nil, master: 1, replicas: [], peers: [92])
    let two = try sentinel(92, id: nil, master: 1, replicas: [], peers: [91])
    let view = SentinelView(SentinelFollower.reports([one, two]))
    #expect(Set(view.knownSentinels.keys) == ["s91", "s92"])
    #expect(view.answeringCount == 2)
  }
}
