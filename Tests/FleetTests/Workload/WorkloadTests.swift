import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct WorkloadTests {
  private let registry = Registry()
  private let store = WorkloadStore(workload: "w", file: nil)

  /// A workload whose servers do not exist.
  private func workload(_ yaml: String) throws -> Workload {
    let config = try FleetConfig.parse(Array("workloads: [{name: w, \(yaml)}]".utf8), file: "test.yml").workloads[0]
    let context = FleetContext(
      connections: RedisServer.context, registry: registry, environment: [:], collectors: CollectorOptions(),
      clientName: nil, memberLimit: 10, store: nil, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return Workload(config, context: context, store: store)
  }

  private var page: [String] {
    Fixture.lines(String(decoding: Exposition().page(registry.page().sources), as: UTF8.self))
  }

  @Test func itsPageIsThereBeforeItsMembersAndGoneWithIt() async throws {
    let workload = try workload("kind: custom, topology: replication, seeds: ['127.0.0.1:1']")
    await workload.publish()
    #expect(page.contains { $0.hasPrefix("redis_failovers_total") && $0.hasSuffix(" 0") })
    #expect(page.contains { $0.hasPrefix("redis_workload_members_present{") && $0.hasSuffix(" 0") })
    #expect(await workload.crew.members.isEmpty)
    await workload.look()
    #expect(await workload.crew.members.keys.map(\.name) == ["127.0.0.1:1"])
    await workload.stop()
    #expect(!page.contains { $0.contains("workload=\"w\"") })
    #expect(await workload.crew.all.isEmpty)
  }

  @Test func whatASentinelPublishesIsCountedAtOnceAndKeptOverAReload() async throws {
    let yaml = "kind: session, sentinel: {master_name: m, seeds: ['127.0.0.1:1']}"
    let before = try workload(yaml)
    let event = SentinelEvent(channel: "+switch-master", payload: "m 10.0.0.1 6379 10.0.0.2 6379")
    await before.hear(event, from: Readings.address(1), at: .init(seconds: wallClockSeconds()))
    func counted(_ kind: String) -> String? {
      page.first { $0.hasPrefix("redis_failovers_total") && $0.contains("kind=\"\(kind)\"") }
    }
    #expect(counted("manual")?.hasSuffix(" 1") == true)
    #expect(await before.overview().failovers?.last == "manual failover of m from 10.0.0.1:6379 to 10.0.0.2:6379")
    await before.stop()

    let after = try workload(yaml)
    await after.publish()
    #expect(counted("manual")?.hasSuffix(" 1") == true && counted("missed")?.hasSuffix(" 0") == true)
    await after.stop()
  }
}
