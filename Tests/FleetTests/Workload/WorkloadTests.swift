import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Storage
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct WorkloadTests {
  private let registry = Registry()
  private let store = WorkloadStore(workload: "w", file: nil)

  private var context: FleetContext {
    FleetContext(
      connections: RedisServer.context, registry: registry, environment: [:], collectors: CollectorOptions(),
      clientName: nil, memberLimit: 10, store: nil, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func config(_ workloads: String...) throws -> FleetConfig {
    try FleetConfig.parse(Array("workloads: [\(workloads.joined(separator: ", "))]".utf8), file: "test.yml")
  }

  /// A workload whose servers do not exist.
  private func workload(_ yaml: String) throws -> Workload {
    Workload(try config("{name: w, \(yaml)}").workloads[0], context: context, store: store)
  }

  private var page: [String] {
    Fixture.lines(String(decoding: Exposition().page(registry.page().sources), as: UTF8.self))
  }

  @Test func itsPageIsThereBeforeItsMembersAndGoneWithIt() async throws {
    let workload = try workload("kind: custom, topology: replication, seeds: ['127.0.0.1:1']")
    await workload.publish()
    #expect(page.contains { $0.hasPrefix("redis_failovers_total") && $0.hasSuffix(" 0") })
    #expect(!page.contains { $0.hasPrefix("redis_workload_members_present{") }, "nobody has been asked")
    #expect(await workload.crew.members.isEmpty)
    await workload.look()
    #expect(await workload.crew.members.keys.map(\.name) == ["127.0.0.1:1"])
    await workload.stop()
    #expect(!page.contains { $0.contains("workload=\"w\"") })
    #expect(await workload.crew.all.isEmpty)
  }

  @Test func aFleetSpeaksOfOneWorkloadOrOfAll() async throws {
    let one = "kind: custom, topology: static, seeds: ['127.0.0.1:1']"
    let fleet = Fleet(try config("{name: b, \(one)}", "{name: a, \(one)}"), context: context)
    await fleet.start()
    #expect(await fleet.workloadNames == ["a", "b"])
    for (name, expected) in [(nil, ["a", "b"]), ("b", ["b"]), ("c", [])] as [(String?, [String])] {
      #expect(await fleet.overview(of: name).map(\.name) == expected)
      #expect(await Set(fleet.checkResults(of: name).map(\.workload)) == Set(expected))
    }
    await fleet.stop()
  }

  @Test func whatASentinelPublishesIsCountedAtOnceAndKeptOverAReload() async throws {
    let yaml = "kind: session, sentinel: {master_name: m, seeds: ['127.0.0.1:1']}"
    let before = try workload(yaml)
    let event = SentinelEvent(channel: "+switch-master", payload: "m 10.0.0.1 6379 10.0.0.2 6379")
    await before.hear(event, from: Readings.address(1), at: .now)
    func counted(_ kind: String) -> String? {
      page.first { $0.hasPrefix("redis_failovers_total") && $0.contains("kind=\"\(kind)\"") }
    }
    #expect(counted("manual")?.hasSuffix(" 1") == true)
    #expect(
      await before.overview().failovers?.last
        == "manual failover of m from 10.0.0.1:6379 to 10.0.0.2:6379; what it cost is not known")
    await before.stop()
    #expect(await store.newestFailovers(16).map(\.kind) == [.failover], "the next one shows it, too")

    let after = try workload(yaml)
    await after.publish()
    #expect(counted("manual")?.hasSuffix(" 1") == true && counted("missed")?.hasSuffix(" 0") == true)
    await after.stop()
  }
}
