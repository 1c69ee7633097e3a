import Redis
import Testing

@testable import Fleet

@Suite struct ShardReadersTests {
  private let master = Readings.address(1), replica = Readings.address(2), other = Readings.address(3)
  private typealias Candidate = ShardReaders.Candidate

  private func group(_ master: NodeAddress?, _ replicas: NodeAddress...) -> ReplicationGroup {
    ReplicationGroup(master: master, replicas: Set(replicas))
  }

  private let isMaster = Candidate(isMaster: true, isFit: true), isReplica = Candidate(isMaster: false, isFit: true)
  private let isSlow = Candidate(isMaster: false, isFit: false)

  @Test func aReplicaIsReadWhereThereIsOne() {
    var readers = ShardReaders()
    readers.update([group(master, replica, other)], [master: isMaster])
    #expect(readers.shards.map(\.reader) == [master])
    readers.update([group(master, replica, other)], [master: isMaster, replica: isSlow, other: isReplica])
    #expect(readers.shards.map(\.reader) == [other])
    // Nobody is changed without need.
    readers.update([group(master, replica, other)], [master: isMaster, replica: isReplica, other: isReplica])
    #expect(readers.shards.map(\.reader) == [other])
    readers.update([group(master, replica, other)], [master: isMaster, replica: isReplica, other: isSlow])
    #expect(readers.shards.map(\.reader) == [replica])
    readers.update([group(master, replica, other)], [replica: isSlow])
    #expect(readers.shards.map(\.reader) == [nil] && readers.shards[0].master == nil)
  }

  @Test func aShardIsTheSameAfterAFailover() {
    var readers = ShardReaders()
    let candidates = [master: isMaster, replica: isReplica, other: isMaster]
    readers.update([group(master, replica), group(other)], candidates)
    let ids = readers.shards.map(\.id)
    readers.update([group(other), group(nil, master, replica)], [other: isMaster])
    #expect(readers.shards.map(\.id) == [ids[1], ids[0]])
    // The old master is back as a replica, and moved to the other shard meanwhile.
    readers.update([group(other, master), group(replica)], [replica: isMaster, other: isMaster, master: isReplica])
    #expect(readers.shards.map(\.id) == [ids[1], ids[0]])
    #expect(readers.shards.map(\.reader) == [master, replica])
    #expect(readers.shards.map(\.master) == [other, replica])
    readers.update([group(Readings.address(9))], [:])
    #expect(!ids.contains(readers.shards[0].id))
  }
}
