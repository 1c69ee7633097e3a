import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct SentinelPoolTests {
  private let context = FleetContext(
    connections: RedisServer.context, registry: Registry(), environment: [:], collectors: CollectorOptions(),
    clientName: nil, memberLimit: 10, store: nil, log: Logger(label: "test"))

  /// A Sentinel where nobody listens.
  private let address = NodeAddress(host: "127.0.0.1", port: 1)

  private func lease(_ workload: String, _ sentinel: String = "") throws -> WatchedNode {
    let group = "{master_name: \(workload), seeds: ['a:1'], \(sentinel)}"
    let text = "workloads: [{name: \(workload), kind: session, sentinel: \(group)}]"
    let config = try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
    let factory = MemberFactory(config: config, context: context, log: context.log)
    return try factory.sentinel(address, try #require(config.sentinel))
  }

  @Test func oneNodeServesAllWhoAskForTheSame() async throws {
    let (carts, users) = (try lease("carts"), try lease("users"))
    #expect(carts.node === users.node && context.sentinels.count == 1)
    #expect(carts.lease?.sentinel.masters.names == ["carts", "users"])
    let other = try lease("other", "credentials: {password: x}")
    #expect(other.node !== carts.node && context.sentinels.count == 2, "another login is another connection")
    await carts.stop()
    #expect(users.lease?.sentinel.masters.names == ["users"] && context.sentinels.count == 2)
    await users.stop()
    await other.stop()
    #expect(context.sentinels.count == 0)
  }

  @Test func twoWorkloadsMayAskAboutTheSameMaster() async throws {
    let (first, second) = (try lease("carts"), try lease("carts"))
    await first.stop()
    #expect(second.lease?.sentinel.masters.names == ["carts"])
    await second.stop()
  }

  @Test func eachMasterIsAskedAboutAndReadApart() throws {
    let masters = MasterNames()
    _ = (masters.add("b"), masters.add("a"))
    let sentinel = ServerFacts(InfoText(bytes: Array("redis_mode:sentinel\r\n".utf8)))
    func commands(_ masters: MasterNames) -> [Command] {
      MembershipCollector(masters: masters).commands(for: sentinel, CollectorOptions())
    }
    let (commands, nothing) = (commands(masters), commands(MasterNames()))
    #expect(
      commands.count == 9 && commands[0] == ["SENTINEL", "MYID"] && commands[8] == ["SENTINEL", "CKQUORUM", "b"])
    #expect(MembershipCollector.masterNames(in: commands) == ["a", "b"])
    #expect(nothing.isEmpty)

    let unknown = "-ERR No such master with that name\r\n"
    let known = try #require(Fixture.bytes("topologies/redis-7.0.15/steady-sentinel-masters.resp"))
    // SENTINEL MASTER answers what SENTINEL MASTERS has as an element.
    let master = known.drop { $0 != UInt8(ascii: "\n") }.dropFirst()
    let bytes =
      Array("$2\r\nid\r\n\(unknown)*0\r\n*0\r\n\(unknown)".utf8) + master
      + Array("*0\r\n*0\r\n+OK 3 usable\r\n".utf8)
    let info = InfoText(bytes: Array("redis_mode:sentinel\r\n".utf8))
    let replies = try Replies.read(bytes)
    let facts = MemberFacts(
      info, config: nil, replies: replies.replies(in: 0..<replies.count), masterNames: ["a", "b"],
      server: sentinel, now: 0)
    #expect(facts.about("a").sentinel?.master == nil && facts.about("a").sentinel?.id == "id")
    #expect(facts.about("b").sentinel?.master != nil)
    #expect(facts.about("c").sentinel == nil)
  }
}
