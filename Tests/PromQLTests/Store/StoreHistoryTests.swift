import TestSupport
import Testing

@testable import PromQL

@Suite(.timeLimit(.minutes(1))) struct StoreHistoryTests {
  private let minute: Int64 = 60_000
  private let long: Labels = ["__name__": "long", "instance": "a"]
  private let short: Labels = ["__name__": "short", "instance": "a"]

  private func policy(long minutes: Int64) -> HistoryPolicy {
    var policy = HistoryPolicy(defaultMilliseconds: 10 * minute)
    policy.keep("long", forMilliseconds: minutes * minute)
    return policy
  }

  /// Values that change much fill pages soon; a sample every second.
  private func fill(_ bench: StoreBench, _ steps: Range<Int>) throws {
    var random = FixedRandom(state: 3)
    for step in steps {
      try bench.append([long: random.unit(), short: random.unit()], at: Int64(step) * 1000)
      if step % 60 == 0 { bench.store.expire(nowMilliseconds: Int64(step) * 1000) }
    }
  }

  @Test func eachMetricIsKeptAsLongAsThePolicySays() throws {
    let bench = StoreBench(keeping: policy(long: 120))
    try fill(bench, 0..<15_000)
    let now: Int64 = 14_999_000
    // Nothing of the promised time is missing; beyond it there is no more than a page and a block.
    let excess: Int64 = (4096 * 64 / 52 + 240) * 1000
    for (labels, kept) in [(long, 120 * minute), (short, 10 * minute)] {
      let oldest = try #require(try bench.samples(labels).first).time
      #expect(oldest <= now - kept)
      #expect(oldest >= now - kept - excess)
      let samples = try bench.samples(labels)
      #expect(samples.count == Int((now - oldest) / 1000) + 1)
    }
    let before = bench.store.size.sampleBytes
    try fill(bench, 15_000..<22_000)
    #expect(bench.store.size.sampleBytes < before + 4 * 4096 * 8, "memory stays where it was")
  }

  @Test func endedSeriesGo() throws {
    let bench = StoreBench(keeping: policy(long: 120))
    try bench.append([long: 1, short: 2], at: 1000)
    try bench.append([:], at: 2000)
    try bench.append([["__name__": "other"]: 2], at: 3000, isComplete: false)
    for step in 1...300 { try bench.append([["__name__": "other"]: 2], at: 3000 + Int64(step)) }
    bench.store.expire(nowMilliseconds: 2000 + 10 * minute)
    #expect(bench.store.seriesCount == 3)
    bench.store.expire(nowMilliseconds: 2001 + 10 * minute)
    #expect(bench.store.labelValues(of: "__name__") == ["long", "other"])
    #expect(try bench.samples(long).count == 2)
    bench.store.expire(nowMilliseconds: 2001 + 120 * minute)
    #expect(bench.store.labelValues(of: "__name__") == ["other"])
    bench.store.expire(nowMilliseconds: 5000 + 240 * minute)
    #expect(bench.store.seriesCount == 0, "an origin that fell silent keeps nothing alive")
    #expect(bench.store.labelNames().isEmpty)
    #expect(bench.store.sampleCount == 0)
  }

  @Test func aSeriesWithoutSamplesGoes() throws {
    let store = SeriesStore(policy: policy(long: 120))
    let reference = try store.reference(to: short)
    store.expire(nowMilliseconds: 1_000_000)
    #expect(try store.reference(to: short) == reference)
    store.expire(nowMilliseconds: 1_000_001 + 10 * minute)
    #expect(store.seriesCount == 0)
    #expect(try store.reference(to: short) != reference)
  }

  /// A reference outlives its series; the batch says so, and the samples can be brought in again at the same time.
  @Test func referencesOfGoneSeriesAreReported() throws {
    let bench = StoreBench(keeping: policy(long: 120))
    let reference = try bench.store.reference(to: short)
    try bench.append([short: 1], at: 0)
    try bench.close("node", endingAt: 0)
    bench.store.expire(nowMilliseconds: 1 + 11 * minute)
    try bench.append([long: 1], at: 20 * minute)
    var batch = SeriesBatch()
    batch.append(5, to: reference)
    batch.append(6, to: try bench.store.reference(to: long))
    let report = try bench.store.append(batch, atMilliseconds: 21 * minute, from: bench.origin("node"))
    #expect(report.unknown == [0])
    #expect(report.appended == 1)
    #expect(try bench.append([short: 5], at: 21 * minute, isComplete: false).appended == 1)
    #expect(try bench.samples(short) == [TestSample(21 * minute, 5)])
  }

  /// Also a pause longer than the history: what comes after it is no continuation.
  @Test func aSeriesThatComesBackIsKept() throws {
    let bench = StoreBench(keeping: policy(long: 120))
    try bench.append([short: 1], at: 0)
    try bench.append([:], at: 1000)
    try bench.append([short: 2], at: 9 * minute)
    try bench.close("node", endingAt: nil)
    bench.store.expire(nowMilliseconds: 15 * minute)
    #expect(try bench.samples(short).last == TestSample(9 * minute, 2))
    bench.store.expire(nowMilliseconds: 20 * minute)
    #expect(try bench.samples(short).isEmpty)
  }

  @Test func aLongerHistoryHoldsForWhatIsThere() throws {
    let bench = StoreBench(keeping: policy(long: 20))
    try fill(bench, 0..<3000)
    let oldest = try #require(try bench.samples(long).first).time
    bench.store.policy = policy(long: 120)
    try fill(bench, 3000..<7000)
    #expect(try #require(try bench.samples(long).first).time == oldest)
    bench.store.policy = policy(long: 20)
    try fill(bench, 7000..<9000)
    #expect(try #require(try bench.samples(long).first).time > oldest)
    // Back again: only what is still there counts.
    bench.store.policy = policy(long: 200)
    try fill(bench, 9000..<12_000)
    let samples = try bench.samples(long)
    #expect(samples.map(\.time) == (0..<samples.count).map { 11_999_000 - Int64($0) * 1000 }.reversed())
    #expect(samples.count > 3000 + 20 * 60)
  }

  // MARK: Bounds

  @Test func seriesAreBounded() throws {
    let bench = StoreBench(limits: SeriesLimits(series: 3, labelsPerSeries: 2, labelBytesPerSeries: 60))
    for index in 0..<3 { try bench.append([["a": "\(index)"]: 1], at: 10, isComplete: false) }
    #expect(throws: SeriesStoreError.tooManySeries(limit: 3)) { try bench.append([["a": "3"]: 1], at: 10) }
    try bench.append([["a": "1"]: 2], at: 20)
    #expect(bench.store.counters.refusedForSpace == 1)
    let wide = StoreBench(limits: SeriesLimits(series: 3, labelsPerSeries: 2, labelBytesPerSeries: 60)).store
    let many: Labels = ["a": "1", "b": "2", "c": "3"]
    #expect(throws: SeriesStoreError.tooManyLabels(many, limit: 2)) { try wide.reference(to: many) }
    let longText: Labels = ["a": String(repeating: "x", count: 60)]
    #expect(throws: SeriesStoreError.labelsTooLong(longText, limitBytes: 60)) { try wide.reference(to: longText) }
    #expect(wide.seriesCount == 0)
    #expect(wide.labelNames().isEmpty)
  }

  @Test func theOldestSamplesGoWhenAllTakeTooMuch() throws {
    let limit = 200_000
    let bench = StoreBench(limits: SeriesLimits(sampleBytes: limit))
    var random = FixedRandom(state: 3)
    for step in 0..<20_000 {
      try bench.append([long: random.unit(), short: random.unit()], at: Int64(step))
      if step % 1000 == 0 { #expect(bench.store.size.sampleBytes <= limit + 4096 * 8) }
    }
    #expect(bench.store.counters.pagesDroppedForSpace > 0)
    let samples = try bench.samples(long)
    #expect(samples.map(\.time) == (20_000 - Int64(samples.count)..<20_000).map { $0 })
    // A random double takes 7.1 bytes.
    #expect(samples.count > (limit - 4 * 4096 * 8) / 16)
  }

  @Test func refusesWhenEvenTheNewestSamplesTakeTooMuch() throws {
    let bench = StoreBench(limits: SeriesLimits(sampleBytes: 10_000))
    #expect(throws: SeriesStoreError.samplesTooLarge(limitBytes: 10_000)) {
      for step in 0..<200 {
        let samples = (0..<100).map { index in (Labels([.init("n", "\(index)")]), 1 / Double(step * index + 3)) }
        try bench.append(Dictionary(uniqueKeysWithValues: samples), at: Int64(step))
      }
    }
    #expect(bench.store.counters.refusedForSpace == 100)
  }

  @Test func selectionsAreBounded() throws {
    let bench = StoreBench(limits: SeriesLimits(selectedSamples: 1000))
    for step in 0..<1001 { try bench.append([long: Double(step)], at: Int64(step)) }
    #expect(try bench.samples(long, from: 1).count == 1000)
    #expect(throws: SeriesStoreError.tooManySamplesSelected(limit: 1000)) { try bench.samples(long) }
  }
}
