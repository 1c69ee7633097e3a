import Runtime
import TestSupport
import Testing

@testable import Fleet

/// What a sample says where large keys are known by name.
struct CertainKeysTests {
  private static let start = WallTime(seconds: 1_800_000_000)
  private static let large = 2_000_000.0
  private static let count = 60_000

  /// 12 keys of 60,000 that hold nearly a fifth of the memory.
  private static let big: [BigKey] = (0..<12).map { number in
    var key = BigKey(
      KeyName(database: 0, bytes: Array("report:{x}:\(number)".utf8)), type: "hash", bytes: large, at: start)
    key.life = .forever
    return key
  }
  private static let truth = Double(count - 12) * 1800 + 12 * large

  /// - Parameters:
  ///   - known: what a census knows; nil without one.
  ///   - all: whether each key is looked at.
  private static func sample(
    _ known: [BigKey]?, isWhole: Bool = true, size: Double = 1800, bigs: Int = 2, all: Bool = false
  ) -> SampledKeys {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "run/0", keyTotal: Double(count), areAllKeys: all)]
    if let known { sample.know(CertainKeys(largeBytes: 1_048_576, keys: known, isWhole: isWhole), in: 0) }
    for window in 0..<300 {
      let number = sample.open(in: 0)
      for key in 0..<16 {
        let place = window * 16 + key
        let isBig = key == 0 && window < bigs
        let name = isBig ? "report:{x}:\(window)" : key < 4 ? "report:\(place)" : "page:\(place)"
        sample.add(
          Array(name.utf8), bytes: isBig ? large : size, life: isBig ? .forever : .until(milliseconds: 5000), in: number
        )
      }
    }
    return sample
  }

  @Test func knownKeysAreAddedExactly() throws {
    let before = KeyspaceEstimate(Self.sample([]), now: 0)
    let memory = try #require(before.memoryBytes)
    #expect(memory < 0.85 * Self.truth, "what nobody knows by name is left out, and missing")
    #expect(before.leftOutCount == 2)
    let after = KeyspaceEstimate(Self.sample(Self.big), now: 0)
    #expect(abs(try #require(after.memoryBytes) - Self.truth) < 0.03 * Self.truth)
    #expect(after.leftOutCount == 0 && after.keyTotal == Double(Self.count))
    let report = try #require(after.prefixes.first { $0.name == "report:*" })
    #expect(try #require(report.keysWithoutTTL?.value) == 12, "no other lasts for ever")
    #expect(try #require(report.memoryBytes).lower ?? 0 > 12 * Self.large)
    // Without a census the sample takes what it met for all.
    #expect(try #require(KeyspaceEstimate(Self.sample(nil), now: 0).memoryBytes) > 1.1 * Self.truth)
  }

  @Test func aKeyThatShrankIsOneOfTheSample() throws {
    let estimate = KeyspaceEstimate(Self.sample(Array(Self.big.dropFirst(2)), bigs: 2), now: 0)
    #expect(estimate.leftOutCount == 2)
    #expect(estimate.keyTotal == Double(Self.count))
  }

  @Test func whereEachKeyIsLookedAtNoneIsLeftOut() throws {
    let estimate = KeyspaceEstimate(
      {
        var sample = Self.sample(Array(Self.big.prefix(1)), bigs: 3, all: true)
        sample.settle(0)
        return sample
      }(), now: 0)
    #expect(estimate.areAllKeys && estimate.leftOutCount == 0)
    #expect(estimate.keyTotal == 4800, "the known one counts once")
    #expect(try #require(estimate.memoryBytes) == 3 * Self.large + 4797 * 1800)
  }

  private static func panel(_ known: [BigKey]?, isWhole: Bool = true, size: Double = 1800) -> KeyPanel {
    KeyPanel(sample(known, isWhole: isWhole, size: size, bigs: 0), prefixes: ["report:*", "page:*"])
  }

  @Test func whatGrewIsToldWithLargeKeys() throws {
    var grown = Self.big
    grown[0].bytes += 7_000_000
    let change = try #require(Self.panel(grown).growth(of: "report:*", since: Self.panel(Self.big)))
    #expect(change == SampledAmount(7_000_000, lower: 7_000_000, upper: 7_000_000))
    let new = try #require(Self.panel(Self.big).growth(of: "report:*", since: Self.panel(Array(Self.big.dropLast()))))
    // One sampled key less is a large one.
    #expect(abs(new.value - Self.large) < 2000)
    #expect(Self.panel(grown).growth(of: "page:*", since: Self.panel(Self.big))?.value == 0)
  }

  /// A key that was there all the time and is found only now has not grown.
  @Test func whatIsFoundIsNoGrowth() {
    let early = Self.panel([], isWhole: false)
    #expect(Self.panel(Self.big).growth(of: "report:*", since: early) == nil)
    #expect(Self.panel(Self.big).growth(of: "page:*", since: early) != nil, "other prefixes are not concerned")
    #expect(Self.panel(Self.big).growth(of: "report:*", since: Self.panel(nil)) == nil)
    #expect(Self.panel(Self.big).mayHaveFound("report:*", since: early))
    #expect(!Self.panel(Self.big).mayHaveFound("page:*", since: early))
  }
}
