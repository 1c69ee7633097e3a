import TestSupport
import Testing

@testable import Fleet

/// What samples say of keys that are known, over many samples.
struct KeyspaceEstimateTests {
  /// Keys in the order in which SCAN returns them.
  struct Table {
    var keys: [(name: [UInt8], bytes: Double, second: Int64?)] = []

    /// Names are spread over the table by their hashes, as in one table, or stand side by side by tag, as in a cluster with a table
    /// for each slot.
    init(count: Int, isTagged: Bool, seed: UInt64 = 1) {
      var random = FixedRandom(state: seed)
      // By share of the keys: most names, small and large ones, one in a thousand.
      let kinds: [(name: String, share: Double, bytes: ClosedRange<Double>)] = [
        ("session", 0.55, 100...300), ("cart", 0.28, 200...2000), ("page", 0.14, 50...5000), ("idx", 0.029, 60...90),
        ("rare", 0.001, 500...900),
      ]
      for kind in kinds {
        for number in 0..<Int(Double(count) * kind.share) {
          // Of some kinds a tag has many keys.
          let tag = isTagged && kind.name != "session" ? "\(kind.name)\(number * 20 / count)" : "\(kind.name)\(number)"
          let name = "\(kind.name):{\(tag)}:\(number)"
          keys.append(
            (
              Array(name.utf8), .random(in: kind.bytes, using: &random),
              kind.name == "idx" ? nil : Int64.random(in: 0..<7200, using: &random)
            ))
        }
      }
      keys.shuffle(using: &random)
      if isTagged {
        keys.sort { clusterSlotOrder($0.name) < clusterSlotOrder($1.name) }
      }
    }

    /// - Parameter starts: where windows begin.
    func sample(_ starts: [Int], width: Int = 16) -> SampledKeys {
      var sample = SampledKeys(PrefixTemplate(depth: 1))
      sample.strata = [SampledKeys.Stratum(id: "table", keyTotal: Double(keys.count))]
      for start in starts {
        let window = sample.open(in: 0)
        for place in start..<min(start + width, keys.count) {
          let key = keys[place]
          sample.add(
            key.name, bytes: key.bytes, life: key.second.map { .until(milliseconds: $0 * 1000) } ?? .forever, in: window
          )
        }
      }
      return sample
    }

    func randomStarts(_ count: Int, using random: inout FixedRandom) -> [Int] {
      (0..<count).map { _ in Int.random(in: 0..<keys.count, using: &random) }
    }

    func truth(_ prefix: String) -> (keys: Double, bytes: Double) {
      let own = keys.filter { $0.name.starts(with: prefix.utf8) }
      return (Double(own.count), own.reduce(0) { $0 + $1.bytes })
    }
  }

  private static let trials = share(40, full: 200)
  private static let tableKeys = share(40_000, full: 300_000)
  private static let windows = share(150, full: 1250)

  /// How often the interval of a prefix holds the truth.
  private static func coverage(
    _ table: Table, _ starts: (inout FixedRandom) -> [Int]
  ) -> [String: (keys: Double, bytes: Double)] {
    let names = ["session", "cart", "page", "idx"]
    let truths = names.map { table.truth($0 + ":") }
    var hits: [String: (keys: Double, bytes: Double)] = [:]
    var random = FixedRandom(state: 7)
    for _ in 0..<trials {
      let estimate = KeyspaceEstimate(table.sample(starts(&random)), now: 0)
      for (name, truth) in zip(names, truths) {
        guard let found = estimate.prefixes.first(where: { $0.name == "\(name):*" }) else { continue }
        if holds(found.keys, truth.keys) { hits[name, default: (0, 0)].keys += 1 }
        if let bytes = found.memoryBytes, holds(bytes, truth.bytes) {
          hits[name, default: (0, 0)].bytes += 1
        }
      }
    }
    return hits.mapValues { ($0.keys / Double(trials), $0.bytes / Double(trials)) }
  }

  private static func holds(_ amount: SampledAmount, _ truth: Double) -> Bool {
    guard let lower = amount.lower, let upper = amount.upper else { return false }
    return lower <= truth && truth <= upper
  }

  /// With the chance that so many trials leave.
  private static let coverages = share(0.85...1.0, full: 0.90...0.98)

  @Test(arguments: [false, true]) func intervalsHoldTheTruth(isTagged: Bool) {
    let table = Table(count: Self.tableKeys, isTagged: isTagged)
    let hits = Self.coverage(table) { table.randomStarts(Self.windows, using: &$0) }
    #expect(hits.count == 4)
    for (name, hit) in hits {
      #expect(Self.coverages.contains(hit.keys), "\(name): keys \(hit.keys)")
      #expect(Self.coverages.contains(hit.bytes), "\(name): bytes \(hit.bytes)")
    }
  }

  /// One long window is no sample where keys of a tag stand side by side: the test above can fail.
  @Test func aContiguousSampleDoesNot() {
    let table = Table(count: Self.tableKeys, isTagged: true)
    let hits = Self.coverage(table) { random in
      let start = Int.random(in: 0..<(table.keys.count - 16 * Self.windows), using: &random)
      return (0..<Self.windows).map { start + 16 * $0 }
    }
    #expect(["cart", "page"].allSatisfy { hits[$0, default: (0, 0)].bytes < 0.85 }, "\(hits)")
  }

  @Test func rareKeysHaveAWideInterval() throws {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "a", keyTotal: 100_000)]
    for window in 0..<100 {
      let number = sample.open(in: 0)
      for place in 0..<10 {
        let isRare = window < 25 && place == 0
        sample.add(
          Array("\(isRare ? "rare" : "usual"):\(window * 10 + place)".utf8), bytes: 100,
          life: isRare ? .forever : .until(milliseconds: 5000), in: number)
      }
    }
    let estimate = KeyspaceEstimate(sample, now: 0)
    let rare = try #require(estimate.prefixes.first { $0.name == "rare:*" })
    let interval = CountInterval(25)
    #expect(rare.keys == SampledAmount(2500, lower: interval.lower * 100, upper: interval.upper * 100))
    #expect(rare.memoryBytes?.lower == nil && rare.memoryBytes?.value == 250_000, "too few for bounds of memory")
    let usual = try #require(estimate.prefixes.first { $0.name == "usual:*" })
    #expect(usual.keysWithoutTTL?.value == 0)
    let upper = try #require(usual.keysWithoutTTL?.upper)
    #expect(360...370 ~= upper, "none of 1,000 is never none of all")
    #expect(estimate.keyTotal == 100_000 && estimate.seenCount == 1000 && !estimate.areAllKeys)
  }

  @Test func allKeysAreNoEstimate() throws {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "a", keyTotal: 40, areAllKeys: true)]
    for _ in 0..<2 {
      let window = sample.open(in: 0)
      // SCAN may return a name twice.
      for key in 0..<30 { sample.add(Array("job:\(key)".utf8), bytes: 10, life: .forever, in: window) }
    }
    sample.settle(0)
    let estimate = KeyspaceEstimate(sample, now: 0)
    #expect(estimate.areAllKeys && estimate.keyTotal == 30)
    #expect(estimate.prefixes.map(\.name) == ["job:*"])
    #expect(estimate.prefixes[0].keys == SampledAmount(exact: 30))
    #expect(estimate.prefixes[0].memoryBytes == SampledAmount(exact: 300))
  }

  /// Databases and shards differ in what each of their keys stands for.
  @Test func strataAreAddedUp() throws {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [
      SampledKeys.Stratum(id: "a", keyTotal: 10_000), SampledKeys.Stratum(id: "b", keyTotal: 600),
      SampledKeys.Stratum(id: "c", keyTotal: 77),
    ]
    for stratum in 0..<2 {
      for window in 0..<20 {
        let number = sample.open(in: stratum)
        for key in 0..<10 {
          let name = key < 4 + stratum ? "a:\(stratum)\(window)\(key)" : "b:\(stratum)\(window)\(key)"
          sample.add(Array(name.utf8), bytes: 100, life: .unknown, in: number)
        }
      }
    }
    let spoiled = sample.open(in: 0)
    sample.add(Array("c:1".utf8), bytes: 1e12, life: .unknown, in: spoiled)
    sample.spoil(spoiled)
    let estimate = KeyspaceEstimate(sample, now: 0)
    let first = try #require(estimate.prefixes.first { $0.name == "a:*" })
    #expect(abs(first.keys.value - (4000 + 300)) < 1e-6)
    #expect(first.keysWithoutTTL == nil, "nobody said when keys expire")
    #expect(estimate.unseenKeys == 77 && estimate.keyTotal == 10_677 && estimate.windowCount == 40)
    #expect(estimate.prefixes.count == 2)
  }

  /// A queue and a cache in one Redis; fewer than 5 % of the keys are neither's use of it.
  @Test func howKeysLiveSideBySide() {
    func lives(_ lasting: Int, of count: Int) -> KeyLives? {
      var sample = SampledKeys(PrefixTemplate())
      sample.strata = [SampledKeys.Stratum(id: "a", keyTotal: 100_000)]
      let window = sample.open(in: 0)
      for key in 0..<count {
        let isLasting = key < lasting
        sample.add(
          Array("\(isLasting ? "job" : "page"):\(key)".utf8), bytes: 10,
          life: isLasting ? .forever : .until(milliseconds: 5000), in: window)
      }
      return KeyspaceEstimate(sample, now: 0).lives
    }
    #expect(lives(100, of: 1999) == nil, "too few were looked at")
    #expect(lives(1000, of: 2500) == KeyLives(expiringRatio: 0.6, lastingRatio: 0.4))
    #expect(lives(0, of: 2500) == KeyLives(expiringRatio: 1, lastingRatio: 0))
    #expect(lives(100, of: 2500) == KeyLives(expiringRatio: 0.96, lastingRatio: 0), "4 % are an index of the others")
  }

  @Test func theHeaviestHaveLines() {
    var sample = SampledKeys(PrefixTemplate())
    sample.strata = [SampledKeys.Stratum(id: "a", keyTotal: 100_000)]
    for kind in 0..<10 {
      let window = sample.open(in: 0)
      let letter = String(UnicodeScalar(UInt8(97 + kind)))
      for key in 0..<30 {
        sample.add(Array("\(letter):\(key)".utf8), bytes: Double(10 - kind), life: .forever, in: window)
      }
    }
    var options = KeyspaceEstimate.Options()
    options.maxPrefixes = 3
    let estimate = KeyspaceEstimate(sample, options, now: 0)
    #expect(Set(estimate.prefixes.map(\.name)) == ["a:*", "b:*", "c:*", "other"])
    #expect(abs(estimate.prefixes.reduce(0) { $0 + $1.keys.value } - 100_000) < 1e-6)
  }

  @Test func whatExpiresAtOnceIsTold() throws {
    var table = Table(count: 60_000, isTagged: false)
    for place in table.keys.indices where table.keys[place].name.starts(with: "page:".utf8) && place % 3 > 0 {
      table.keys[place].second = 4321
    }
    var random = FixedRandom(state: 3)
    let estimate = KeyspaceEstimate(table.sample(table.randomStarts(500, using: &random)), now: 0)
    let page = try #require(estimate.prefixes.first { $0.name == "page:*" })
    guard case .coming(let wave) = page.wave else {
      Issue.record("\(page.wave)")
      return
    }
    let truth = Double(table.keys.count { $0.second == 4321 })
    #expect(wave.timestampSeconds == 4321 && wave.spanSeconds == 1)
    #expect(Self.holds(wave.keys, truth) && 0.5...0.8 ~= wave.ratio)
    #expect(estimate.prefixes.first { $0.name == "session:*" }?.wave == KeyspaceEstimate.Wave.none)
    #expect(
      estimate.prefixes.first { $0.name == "idx:*" }?.wave == KeyspaceEstimate.Wave.none,
      "what never expires has no wave")
    #expect(0.05...0.2 ~= estimate.crowdingRatio ?? 0)
  }

  /// PEXPIREAT takes any number of milliseconds, and a server may answer PTTL with any.
  @Test func aKeyMayExpireAtTheEndOfTime() {
    let now: Int64 = 1_800_000_000_000
    #expect(SampledKeys.Life(.milliseconds(5000), at: now) == .until(milliseconds: now + 5000))
    guard case .until(let end) = SampledKeys.Life(.milliseconds(.max), at: now) else {
      Issue.record("it does expire")
      return
    }
    #expect(end > now + 1 << 51)
    #expect(SampledKeys.Life(.unlimited, at: now) == .forever && SampledKeys.Life(nil, at: now) == .unknown)
  }
}

/// A cluster's slots one after the other, and names of a slot in no order.
private func clusterSlotOrder(_ name: [UInt8]) -> Int {
  let tag = name.split(separator: UInt8(ascii: "{"))[1].prefix { $0 != UInt8(ascii: "}") }
  return tag.reduce(5381) { ($0 &* 33 &+ Int($1)) & 0xFFFF_FFFF } & 0x3FFF
}
