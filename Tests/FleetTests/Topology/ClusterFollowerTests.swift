import Redis
import TestSupport
import Testing

@testable import Fleet

@Suite struct ClusterFollowerTests {
  private func node(_ id: String, _ port: Int, _ rest: String, myself: Bool = false) -> String {
    let words = rest.split(separator: " ", maxSplits: 1).map(String.init)
    return "\(id) 10.0.0.1:\(port)@1\(port) \(myself ? "myself," : "")\(words[0]) \(words[1])\n"
  }

  private func reading(_ port: Int, _ nodes: String) -> MemberReading {
    MemberReading(
      Readings.address(port), answers: true,
      facts: Readings.facts("redis_mode:cluster\nrole:master\nrun_id:run\(port)\n", nodes: nodes), began: 1)
  }

  @Test func listsEverybodyFromOneSeedByAnnouncedAddresses() {
    var follower = ClusterFollower()
    let view =
      node("a", 1, "master - 0 0 1 connected 0-16383", myself: true)
      + node("b", 2, "slave a 0 0 1 connected") + node("c", 3, "slave,fail a 0 0 1 connected")
    let following = follower.follow([reading(1, view)], sentinels: [])
    #expect(following.listings.map(\.address.port) == [1, 2, 3])
    #expect(following.listings.map(\.isUp) == [true, true, false])
    #expect(following.groups.map(\.master) == [Readings.address(1)])
    #expect(following.groups[0].replicas == [Readings.address(2), Readings.address(3)])
  }

  @Test func aNodeThatAllOthersForgotIsNoMember() {
    var follower = ClusterFollower()
    let one = node("a", 1, "master - 0 0 1 connected 0-16383", myself: true) + node("b", 2, "slave a 0 0 1 connected")
    let two = node("a", 1, "master - 0 0 1 connected 0-16383") + node("b", 2, "slave a 0 0 1 connected", myself: true)
    let forgotten =
      node("a", 1, "master - 0 0 1 connected 0-16383") + node("b", 2, "slave a 0 0 1 connected")
      + node("c", 3, "slave a 0 0 1 connected", myself: true)
    let following = follower.follow([reading(1, one), reading(2, two), reading(3, forgotten)], sentinels: [])
    #expect(following.listings.map(\.address.port) == [1, 2])
  }

  @Test func aNodeAloneIsListedWhereItWasAsked() {
    var follower = ClusterFollower()
    let following = follower.follow([reading(7, "a :7@17 myself,master - 0 0 0 connected\n")], sentinels: [])
    #expect(following.listings.map(\.address) == [Readings.address(7)])
  }

  @Test func nothingIsListedWhileNobodyAnswers() {
    var follower = ClusterFollower()
    let following = follower.follow([Readings.down(1)], sentinels: [])
    #expect(following.listings.isEmpty && following.isTroubled)
  }
}
