import TestSupport
import Testing

@testable import Fleet

/// What changed between two looks at the same places.
struct PanelGrowthTests {
  private static let trials = share(20, full: 100)
  private typealias Table = KeyspaceEstimateTests.Table

  private static func growth(_ before: Table, _ after: Table, seed: Int, isSame: Bool = true) -> SampledAmount? {
    var random = FixedRandom(state: UInt64(seed))
    let starts = before.randomStarts(250, using: &random)
    let later = isSame ? starts : before.randomStarts(250, using: &random)
    let old = KeyPanel(before.sample(starts), prefixes: ["cart:*"])
    let new = KeyPanel(after.sample(later), prefixes: ["cart:*"])
    return new.growth(of: "cart:*", since: old)
  }

  private static func grown(_ table: Table, by ratio: Double) -> Table {
    var table = table
    for place in table.keys.indices where table.keys[place].name.starts(with: "cart:".utf8) {
      table.keys[place].bytes *= 1 + ratio
    }
    return table
  }

  @Test func threePerCentAreFound() throws {
    let before = Table(count: 60_000, isTagged: false)
    let after = Self.grown(before, by: 0.03)
    let truth = after.truth("cart:").bytes - before.truth("cart:").bytes
    var (covered, fresh) = (0, 0)
    for seed in 0..<Self.trials {
      let change = try #require(Self.growth(before, after, seed: seed))
      let (lower, upper) = (try #require(change.lower), try #require(change.upper))
      #expect(lower > 0, "growth of 3 % is more than none")
      if lower <= truth, truth <= upper { covered += 1 }
      let other = try #require(Self.growth(before, after, seed: seed, isSame: false))
      if try #require(other.lower) > 0 { fresh += 1 }
    }
    #expect(Double(covered) >= 0.85 * Double(Self.trials))
    #expect(Double(fresh) < 0.5 * Double(Self.trials), "other places would not tell it")
  }

  @Test func noneIsNone() throws {
    let table = Table(count: 60_000, isTagged: false)
    var changed = table
    // Some keys go and as large ones come: what is held stays the same.
    var random = FixedRandom(state: 9)
    for place in changed.keys.indices where place % 10 == 0 {
      let other = Int.random(in: 0..<changed.keys.count / 10, using: &random) * 10
      changed.keys.swapAt(place, other)
    }
    var wrong = 0
    for seed in 0..<Self.trials {
      #expect(try #require(Self.growth(table, table, seed: seed)) == SampledAmount(0, lower: 0, upper: 0))
      let change = try #require(Self.growth(table, changed, seed: seed))
      if try #require(change.lower) > 0 || (try #require(change.upper)) < 0 { wrong += 1 }
    }
    #expect(Double(wrong) <= 0.15 * Double(Self.trials))
  }

  @Test func onlyTheSameIsCompared() {
    let table = Table(count: 6000, isTagged: false)
    let starts = Array(stride(from: 0, to: 6000, by: 100))
    let panel = KeyPanel(table.sample(starts), prefixes: ["cart:*"])
    #expect(KeyPanel(table.sample(starts), prefixes: ["page:*"]).growth(of: "cart:*", since: panel) == nil)
    #expect(panel.growth(of: "page:*", since: panel) == nil)
    let fewer = KeyPanel(table.sample(Array(starts.dropLast())), prefixes: ["cart:*"])
    #expect(fewer.growth(of: "cart:*", since: panel) == nil)
    var restarted = table.sample(starts)
    restarted.strata[0] = SampledKeys.Stratum(id: "another process", keyTotal: 6000)
    #expect(KeyPanel(restarted, prefixes: ["cart:*"]).growth(of: "cart:*", since: panel) == nil)
  }
}
