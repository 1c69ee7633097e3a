import Testing

@testable import Fleet

struct CountIntervalTests {
  /// Garwood's exact bounds, from tables of the Poisson distribution.
  @Test(arguments: [
    (0, 0, 3.689), (1, 0.0253, 5.572), (2, 0.2422, 7.225), (5, 1.623, 11.668), (10, 4.795, 18.390), (29, 19.42, 41.65),
    (100, 81.36, 121.63),
  ])
  func boundsAreGarwoods(_ count: Int, _ lower: Double, _ upper: Double) {
    let interval = CountInterval(count)
    #expect(abs(interval.lower - lower) <= 0.02 + 0.01 * lower)
    #expect(abs(interval.upper - upper) <= 0.02 + 0.01 * upper)
  }

  @Test func aSurerIntervalIsWider() {
    let (usual, sure) = (CountInterval(40), CountInterval(40, z: 4.5))
    #expect(sure.lower < usual.lower && usual.upper < sure.upper)
    #expect(CountInterval(2, z: 4.5).lower == 0, "never below nothing")
    #expect(CountInterval(-1) == CountInterval(0))
  }

  @Test func aRatioIsEstimatedWithItsVariance() {
    var (sums, windows) = (WindowSums(), WindowTotals())
    for (amount, keys) in [(10.0, 16.0), (14, 16), (9, 12), (20, 20)] {
      sums.add(amount, keyCount: keys)
      windows.add(keyCount: keys)
    }
    let (value, variance) = sums.estimate(keyTotal: 6400, windows)
    #expect(abs(value - 6400 * 53 / 64) < 1e-9)
    // By hand: residuals y − R·n with R = 53/64.
    let residuals = [(10.0, 16.0), (14, 16), (9, 12), (20, 20)].map { $0.0 - 53.0 / 64 * $0.1 }
    let expected = 100.0 * 100 * 4 / 3 * residuals.reduce(0) { $0 + $1 * $1 }
    #expect(abs(variance - expected) < 1e-6 * expected)
    windows.areAllKeys = true
    #expect(sums.estimate(keyTotal: 64, windows) == (53, 0), "nothing is estimated where all keys were looked at")
    #expect(WindowSums().estimate(keyTotal: 10, WindowTotals()) == (0, 0))
  }
}
