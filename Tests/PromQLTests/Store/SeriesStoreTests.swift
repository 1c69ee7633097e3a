import Testing

@testable import PromQL

@Suite struct SeriesStoreTests {
  private let up: Labels = ["__name__": "up", "instance": "a"]
  private let memory: Labels = ["__name__": "memory", "instance": "a"]

  @Test func givesBackWhatWasAppended() throws {
    let bench = StoreBench()
    for step in 0..<1000 {
      try bench.append([up: 1, memory: Double(step * step)], at: Int64(step) * 5000 + Int64(step % 7))
    }
    let all = try bench.samples(memory)
    let expected = (0..<1000).map { step in TestSample(Int64(step) * 5000 + Int64(step % 7), Double(step * step)) }
    #expect(all == expected)
    #expect(bench.store.sampleCount == 2000)
    #expect(bench.store.seriesCount == 2)
  }

  /// Both ends of the interval belong to it.
  @Test(arguments: [(0, 0), (5, 5), (5, 6), (4, 4), (1190, 5995), (1195, 1200), (-10, 9), (5990, 9999), (6000, 7000)])
  func givesTheClosedInterval(_ from: Int64, _ through: Int64) throws {
    let bench = StoreBench()
    for step in 0..<1200 { try bench.append([up: Double(step)], at: Int64(step) * 5) }
    let expected = (0..<1200).map { TestSample(Int64($0) * 5, Double($0)) }.filter {
      (from...through).contains($0.time)
    }
    #expect(try bench.samples(up, from: from, through: through) == expected)
    let newest = try bench.store.selectNewest([], fromMilliseconds: from, throughMilliseconds: through)
    #expect(newest.flatMap(\.samples).map { TestSample($0.timestampMilliseconds, $0.value) } == expected.suffix(1))
  }

  /// All samples move along, sealed ones too, and the next ones follow on them.
  @Test(arguments: [7_200_000, -7_200_000] as [Int64])
  func aClockThatIsSetChangesNoAges(_ distance: Int64) throws {
    let bench = StoreBench()
    for step in 0..<1000 { try bench.append([up: Double(step)], at: 8_000_000 + Int64(step) * 5000) }
    bench.store.shift(byMilliseconds: distance)
    let moved = 8_000_000 + distance
    try bench.append([up: 1000], at: moved + 1000 * 5000)
    #expect(try bench.samples(up) == (0...1000).map { TestSample(moved + Int64($0) * 5000, Double($0)) })
    let newest = try bench.store.selectNewest([], fromMilliseconds: moved, throughMilliseconds: moved + 999 * 5000)
    #expect(newest.flatMap(\.samples).map(\.timestampMilliseconds) == [moved + 999 * 5000])
    #expect(bench.store.series(matching: [[]], within: moved - 5000...moved).count == 1)
    #expect(bench.store.series(matching: [[]], within: moved + 1000 * 5000 + 1...Int64.max).isEmpty)
    #expect(bench.store.series(matching: [[]], within: Int64.min...moved - 1).isEmpty)
    bench.store.expire(nowMilliseconds: moved + 1000 * 5000)
    #expect(try !bench.samples(up).isEmpty)
  }

  @Test func theSameLabelsAreTheSameSeries() throws {
    let store = StoreBench().store
    let reference = try store.reference(to: up)
    #expect(try store.reference(to: ["instance": "a", "__name__": "up", "empty": ""]) == reference)
    #expect(try store.reference(to: memory) != reference)
    #expect(store.seriesCount == 2)
  }

  // MARK: Staleness

  @Test func absentSeriesEndOnce() throws {
    let bench = StoreBench()
    try bench.append([up: 1, memory: 7], at: 10)
    #expect(try bench.append([up: 1], at: 20).stalenessMarkers == 1)
    #expect(try bench.append([up: 1], at: 30).stalenessMarkers == 0)
    try bench.append([up: 1, memory: 8], at: 40)
    #expect(try bench.samples(memory) == [TestSample(10, 7), .stale(20), TestSample(40, 8)])
    #expect(try bench.samples(up).count == 4)
  }

  /// Also a series that ended many blocks ago.
  @Test func anEndedSeriesComesBack() throws {
    let bench = StoreBench()
    try bench.append([up: 1, memory: 7], at: 0)
    for step in 1...2000 { try bench.append([up: 1], at: Int64(step)) }
    try bench.append([memory: 8], at: 3000)
    #expect(try bench.samples(memory) == [TestSample(0, 7), .stale(1), TestSample(3000, 8)])
  }

  @Test func anIncompleteBatchEndsNothing() throws {
    let bench = StoreBench()
    try bench.append([up: 1, memory: 7], at: 10)
    try bench.append([up: 1], at: 20, isComplete: false)
    try bench.append([memory: 9], at: 20, isComplete: false)
    try bench.append([:], at: 20)
    #expect(try bench.samples(memory) == [TestSample(10, 7), TestSample(20, 9)])
    #expect(try bench.append([:], at: 30).stalenessMarkers == 2)
    #expect(try bench.samples(up) == [TestSample(10, 1), TestSample(20, 1), .stale(30)])
  }

  @Test func closingAnOriginEndsItsSeries() throws {
    let bench = StoreBench()
    try bench.append([up: 1], at: 10, from: "one")
    try bench.append([memory: 2], at: 10, from: "two")
    try bench.close("one", endingAt: 5)
    try bench.close("two", endingAt: nil)
    #expect(try bench.samples(up) == [TestSample(10, 1), .stale(11)])
    #expect(try bench.samples(memory) == [TestSample(10, 2)])
    try bench.append([memory: 3], at: 20, from: "three")
    #expect(try bench.samples(memory) == [TestSample(10, 2), TestSample(20, 3)])
  }

  @Test func aClosedOriginGivesNothing() throws {
    let bench = StoreBench()
    let origin = bench.origin("one")
    try bench.close("one", endingAt: nil)
    let closed = SeriesStoreError.closedOrigin
    #expect(throws: closed) { try bench.store.append(SeriesBatch(), atMilliseconds: 1, from: origin) }
    _ = bench.origin("another in its place")
    #expect(throws: closed) { try bench.store.append(SeriesBatch(), atMilliseconds: 1, from: origin) }
  }

  // MARK: Refusals

  @Test func olderAndRepeatedSamplesAreRefused() throws {
    let bench = StoreBench()
    try bench.append([up: 1], at: 10)
    #expect(try bench.append([up: 2], at: 9).outOfOrder == 1)
    #expect(try bench.append([up: 3], at: 10).duplicates == 1)
    // The series knows its newest sample also under another origin.
    try bench.close("node", endingAt: nil)
    #expect(try bench.append([up: 4], at: 10, from: "other").duplicates == 1)
    #expect(try bench.append([up: 5], at: 9, from: "third").outOfOrder == 1)
    #expect(try bench.append([up: 6], at: 11, from: "third").appended == 1)
    #expect(try bench.samples(up) == [TestSample(10, 1), TestSample(11, 6)])
    let counters = bench.store.counters
    #expect([counters.outOfOrder, counters.duplicates, counters.appended] == [2, 2, 2])
  }

  @Test func aSeriesHasOneOriginUntilItEnds() throws {
    let bench = StoreBench()
    try bench.append([up: 1, memory: 5], at: 10, from: "one")
    #expect(try bench.append([up: 2], at: 20, from: "two").conflicts == 1)
    try bench.append([memory: 6], at: 30, from: "one")
    #expect(try bench.append([up: 3], at: 40, from: "two").appended == 1)
    #expect(try bench.append([up: 4], at: 50, from: "one").conflicts == 1)
    #expect(try bench.samples(up) == [TestSample(10, 1), .stale(30), TestSample(40, 3)])
    // Of the first origin only what it still owned ended.
    #expect(try bench.samples(memory) == [TestSample(10, 5), TestSample(30, 6), .stale(50)])
  }

  @Test(arguments: [Int64.max, Int64.min, 9_007_199_254_740_992, -9_007_199_254_740_992])
  func timesOutOfRangeAreRefused(_ time: Int64) throws {
    let bench = StoreBench()
    #expect(throws: SeriesStoreError.timeOutOfRange(milliseconds: time)) { try bench.append([up: 1], at: time) }
  }

  @Test func timesMayLeap() throws {
    let bench = StoreBench()
    let times: [Int64] = [-(1 << 53) + 1, -1, 0, 1, 1_700_000_000_000, 1_700_000_000_001, (1 << 53) - 1]
    for time in times { try bench.append([up: Double(time)], at: time) }
    try bench.close("node", endingAt: nil)
    #expect(try bench.samples(up).map(\.time) == times)
  }
}
