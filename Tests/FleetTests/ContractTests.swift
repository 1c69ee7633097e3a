import Metrics
import Redis
import Testing

@testable import Fleet

/// The families that dashboards for redis_exporter rely on: our own copy of the list, held against the catalogue.
struct ContractTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let type: String
    let labels: [String]
    let source: String
    var testDescription: String { name }
  }

  static let rows: [Row] = Fixture.lines(Fixture.text("families.tsv") ?? "").dropFirst().map { line in
    let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    return Row(
      name: cells[0], type: cells[1], labels: cells[2].split(separator: ",").map(String.init),
      source: cells[3])
  }

  static let families = CollectorCatalogue.all.flatMap(\.families)

  @Test func everyFamilyIsThere() {
    #expect(Self.rows.count > 380)
    let known = Dictionary(grouping: Self.families, by: \.name)
    let missing = Self.rows.filter { known[$0.name] == nil }.map { "\($0.name) (\($0.source))" }
    #expect(missing == [])
    for row in Self.rows {
      guard let family = known[row.name]?.first else { continue }
      #expect(family.type.rawValue == row.type, "\(row.name)")
      #expect(family.labelNames == row.labels, "\(row.name)")
    }
  }

  @Test func everyHelpIsOneSentenceWithItsSource() {
    for family in Self.families {
      #expect(family.help.hasSuffix(")."), "\(family.name): \(family.help)")
      #expect(family.help.contains(" ("), "\(family.name): \(family.help)")
      #expect(family.help.first?.isUppercase == true, "\(family.name): \(family.help)")
      #expect(!family.help.contains(". "), "\(family.name): \(family.help)")
    }
  }

  /// OpenMetrics cuts suffixes off: two families may not meet in one name.
  @Test func noTwoFamiliesShareABaseName() {
    let bases = Dictionary(grouping: Self.families) { family in
      family.type == .counter && family.name.hasSuffix("_total")
        ? String(family.name.dropLast("_total".count)) : family.name
    }
    for (base, families) in bases {
      #expect(Set(families.map(\.name)).count == 1, "\(base)")
    }
  }

  @Test func collectorsHaveNamesOfTheirOwn() {
    let names = CollectorCatalogue.all.map(\.name)
    #expect(Set(names).count == names.count)
  }

  /// A server that names a field like a family that is only defined later must not stop the daemon.
  @Test func aNameFromAServerGivesWay() throws {
    let named = try #require(Family.passthroughGauge("cluster_later_total", help: "From a server (INFO x)."))
    let defined = Family.counter("cluster_later_total", "Defined (INFO x).")
    #expect(named.type == .gauge)
    #expect(defined.type == .counter)
    #expect(Family.passthroughGauge("cluster_later_total", help: "") == nil)
    // One of the same shape is the code's own, too, with what the code says of it.
    _ = try #require(Family.passthroughGauge("cluster_later_gauge", help: "From a server (INFO x)."))
    let own = Family.gauge("cluster_later_gauge", "Said by the code.", traits: [.event])
    #expect(own.isEvent && own.help == "Said by the code.")
    #expect(Family.passthroughGauge("cluster_later_gauge", help: "") === own)
  }
}
