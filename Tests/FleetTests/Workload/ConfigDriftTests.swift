import Redis
import Testing

@testable import Fleet

@Suite struct ConfigDriftTests {
  private func digest(_ pairs: [(String, String)]) throws -> ConfigDigest {
    ConfigDigest(try #require(ServerConfig(try SentinelViewTests.reply(SentinelViewTests.details(pairs)))))
  }

  @Test func findsWhatDiffersAndShouldNot() throws {
    let one = try digest([("port", "1"), ("save", "60 1"), ("maxmemory", "5"), ("only-here", "x")])
    let two = try digest([("maxmemory", "6"), ("port", "2"), ("save", "60 1")])
    #expect(ConfigDrift([one, two]).keys == [fnvHash("maxmemory")])
    #expect(ConfigDrift([one, one]).keys.isEmpty && ConfigDrift([]).keys.isEmpty)
  }

  /// A failover changes who replicates whom and nothing else.
  @Test func aMasterAndItsReplicaAreAlike() throws {
    let master = try digest([("replicaof", ""), ("slave-priority", "100"), ("dir", "/a")])
    let replica = try digest([("replicaof", "10.0.0.1 6379"), ("slave-priority", "10"), ("dir", "/b")])
    #expect(ConfigDrift([master, replica]).keys.isEmpty)
  }
}
