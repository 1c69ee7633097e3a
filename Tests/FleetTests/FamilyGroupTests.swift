import Metrics
import Redis
import Testing

@testable import Fleet

/// What the reference says about flags, held against what collectors do.
@Suite(.timeLimit(.minutes(1))) struct FamilyGroupTests {
  private static let flagged = Dictionary(
    uniqueKeysWithValues: CollectorCatalogue.all.map { collector in
      (collector.name, Set(collector.families.filter { !$0.flag.isEmpty }.map(\.name)))
    })

  /// A collector that asks nothing by itself, and INFO does not do for it, has a flag at every family.
  @Test(arguments: CollectorCatalogue.all.map(\.name))
  func commandsNeedTheFlag(_ name: String) throws {
    let collector = try #require(CollectorCatalogue.all.first { $0.name == name })
    let servers: [ServerFacts] = [.standalone, .cluster, .sentinel].flatMap { mode in
      [ServerFacts.Product.redis, .valkey].map {
        ServerFacts(product: $0, version: Version(99), mode: mode, sentinelMasters: mode == .sentinel ? ["m"] : [])
      }
    }
    let asks = servers.contains { !collector.commands(for: $0, CollectorOptions()).isEmpty }
    let never = servers.allSatisfy { collector.commands(for: $0, .everything).isEmpty }
    #expect(never == (collector.readsInfoOnly && !asks))
    if !asks, !collector.readsInfoOnly {
      #expect(Self.flagged[name] == Set(collector.families.map(\.name)))
    }
  }

  /// Families that captured servers show only with all options on are those with a flag.
  @Test(arguments: GoldenTests.servers)
  func familiesNeedTheFlag(_ folder: String) throws {
    let server = CapturedServer(folder: "servers/\(folder)")
    let whole = try Self.families(server.page(.wholePage))
    let plain = try Self.families(server.page(CollectorOptions()))
    let flagged = Self.flagged.values.reduce(into: Set()) { $0.formUnion($1) }.filter { whole.contains("redis_\($0)") }
    #expect(whole.subtracting(plain) == Set(flagged.map { "redis_\($0)" }))
    #expect(flagged.count > 10)
  }

  private static func families(_ page: String) -> Set<String> {
    Set(Fixture.lines(page).filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) })
  }
}
