import Redis
import Testing

@testable import Fleet

@Suite struct ReplicationFollowerTests {
  private func ports(_ following: Following) -> [Int] { following.listings.map(\.address.port).sorted() }

  @Test func findsEverybodyFromAReplica() {
    var follower = ReplicationFollower(seeds: [Readings.address(2)])
    #expect(ports(follower.follow([], sentinels: [])) == [2])
    #expect(ports(follower.follow([Readings.replica(2, of: 1)], sentinels: [])) == [1, 2])
    let all = follower.follow(
      [Readings.replica(2, of: 1), Readings.master(1, replicas: [2, 3]), Readings.replica(3, of: 1)], sentinels: [])
    #expect(ports(all) == [1, 2, 3])
    #expect(
      all.groups == [
        ReplicationGroup(master: Readings.address(1), replicas: [Readings.address(2), Readings.address(3)])
      ])
    #expect(!all.isTroubled)
  }

  @Test func aSeedAndTheAddressThatOthersNameAreOneServer() {
    let seed = Readings.address(2, "redis-2.example")
    var follower = ReplicationFollower(seeds: [seed])
    let readings = [
      Readings.replica(2, of: 1, runID: "two", host: "redis-2.example"), Readings.replica(2, of: 1, runID: "two"),
      Readings.master(1, replicas: [2]),
    ]
    let following = follower.follow(readings, sentinels: [])
    #expect(Set(following.listings.map(\.address)) == [seed, Readings.address(1)])
    #expect(following.aliases == [Readings.address(2)])
    #expect(following.groups.map(\.replicas) == [[seed]])
    // Also once the second name is not polled any more.
    let later = follower.follow([readings[0], readings[2]], sentinels: [])
    #expect(Set(later.listings.map(\.address)) == [seed, Readings.address(1)])
  }

  @Test func aDeadMasterStaysListedWhileItsReplicasNameIt() {
    var follower = ReplicationFollower(seeds: [Readings.address(2)])
    let following = follower.follow([Readings.down(1), Readings.replica(2, of: 1)], sentinels: [])
    #expect(following.listings.first { $0.address.port == 1 }?.answers == false)
    #expect(following.replication?.master == Readings.address(1))
    #expect(following.isTroubled)
  }
}
