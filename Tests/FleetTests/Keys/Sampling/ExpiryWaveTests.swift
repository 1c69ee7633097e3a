import TestSupport
import Testing

@testable import Fleet

struct ExpiryWaveTests {
  private static let now: Int64 = 1_800_000_000
  private static let runs = share(20, full: 200)

  /// What 20,000 of 200,000 keys say.
  private static func verdict(
    seed: Int, _ second: (inout FixedRandom, Int) -> Double
  ) -> ExpiryWave.Verdict {
    var random = FixedRandom(state: UInt64(seed))
    var wave = ExpiryWave(now: now, horizonSeconds: 7200)
    for _ in 0..<20_000 {
      let key = Int.random(in: 0..<200_000, using: &random)
      wave.add(now + Int64(second(&random, key)))
    }
    return wave.verdict(keysEach: 10)
  }

  @Test func steadyWritesAndJitterAreSilent() {
    for seed in 0..<Self.runs {
      // Written all the time with one TTL: what is left of it is spread evenly.
      #expect(Self.verdict(seed: seed) { random, _ in .random(in: 0..<3600, using: &random) } == .none)
      #expect(Self.verdict(seed: seed) { random, _ in .random(in: 0..<60, using: &random) } == .none, "TTL 60 s")
      #expect(
        Self.verdict(seed: seed) { random, _ in 3600 * .random(in: 0.9...1.1, using: &random) } == .none, "jitter")
    }
  }

  @Test func aSecondOfManyIsTold() {
    for seed in 0..<Self.runs {
      let found = Self.verdict(seed: seed) { random, key in
        key < 5000 ? 1234 : .random(in: 0..<3600, using: &random)
      }
      guard case .peak(let peak) = found else {
        Issue.record("5,000 keys in one second are not told: \(found)")
        continue
      }
      #expect(peak.timestampSeconds == Self.now + 1234 && peak.spanSeconds == 1)
      #expect(300...700 ~= peak.seenCount)
    }
  }

  @Test func aWarmedSetIsTold() {
    for seed in 0..<Self.runs {
      // 40,000 keys warmed within a minute, among others of every age.
      let found = Self.verdict(seed: seed) { random, key in
        key < 40_000 ? 3000 + .random(in: 0..<60, using: &random) : .random(in: 0..<7200, using: &random)
      }
      guard case .peak(let peak) = found else {
        Issue.record("a warmed set is not told: \(found)")
        continue
      }
      #expect(3000..<3060 ~= peak.timestampSeconds - Self.now)
    }
  }

  /// A prefix of nothing else has no other seconds to be compared with.
  @Test(arguments: [1, 3]) func aSetThatIsAllOfThePrefix(seconds: Double) {
    for seed in 0..<Self.runs {
      let found = Self.verdict(seed: seed) { random, _ in 3000 + .random(in: 0..<seconds, using: &random) }
      guard case .peak(let peak) = found else {
        Issue.record("a set warmed in \(seconds) s is not told: \(found)")
        continue
      }
      #expect(3000..<3003 ~= peak.timestampSeconds - Self.now)
      // What is written all the time and lives for a few seconds is none.
      let steady = Self.verdict(seed: seed) { random, _ in .random(in: 0..<(4 * seconds), using: &random) }
      #expect(steady == .none)
    }
  }

  @Test func tooFewSayNothing() {
    var wave = ExpiryWave(now: Self.now, horizonSeconds: 7200)
    for _ in 0..<199 { wave.add(Self.now + 5) }
    #expect(wave.verdict(keysEach: 100) == .unknown, "fewer than 200 were looked at")
    wave.add(Self.now + 5)
    #expect(wave.verdict(keysEach: 9) == .unknown, "they stand for fewer than 2,000")
    #expect(wave.verdict(keysEach: 10) != .unknown)
    wave.removeAll()
    #expect(wave.seenCount == 0 && wave.verdict(keysEach: 10) == .unknown)
  }

  @Test func whatIsFurtherIsToldByTheMinute() {
    var wave = ExpiryWave(now: Self.now, horizonSeconds: 7200)
    for place in 0..<5000 { wave.add(Self.now + 7200 + Int64(place * 31)) }
    #expect(wave.laterVerdict(keysEach: 10) == .none)
    for _ in 0..<500 { wave.add(Self.now + 7200 + 60 * 100 + 7) }
    #expect(
      wave.laterVerdict(keysEach: 10)
        == .peak(
          .init(timestampSeconds: Self.now + 7200 + 6000, spanSeconds: 60, seenCount: 502)))
    #expect(wave.verdict(keysEach: 10) == .unknown, "nothing expires sooner")
    // What is past, or too far ahead, counts for nothing.
    for second: Int64 in [-1, ExpiryWave.farSeconds, .max / 2] { wave.add(Self.now + second) }
    #expect(wave.seenCount == 0)
  }

  @Test func crowdingIsTheFullestSecondsShare() {
    #expect(ExpiryCrowding.ratio(Array(repeating: 5, count: 999)) == nil)
    #expect(ExpiryCrowding.ratio(Array(repeating: 5, count: 1000)) == 1)
    #expect(ExpiryCrowding.ratio((0..<1000).map { Int64($0) }) == 0.001)
    #expect(ExpiryCrowding.ratio((0..<900).map { Int64($0) } + Array(repeating: 10, count: 99) + [2000]) == 0.1)
  }
}
