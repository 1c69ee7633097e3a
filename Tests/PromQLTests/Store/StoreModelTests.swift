import TestSupport
import Testing

@testable import PromQL

/// What a store must hold, as plain arrays.
private struct PlainStore {
  struct PlainSeries {
    var samples: [TestSample] = []
    var origin: Int?
  }

  var series: [Labels: PlainSeries] = [:]
  var newest: [Int: Int64] = [:]

  /// What must be taken, refused and marked.
  mutating func append(_ samples: [(Labels, Double)], at time: Int64, from origin: Int, isComplete: Bool)
    -> AppendReport
  {
    var report = AppendReport()
    guard time >= newest[origin] ?? .min else {
      report.outOfOrder = samples.count
      return report
    }
    newest[origin] = time
    for (labels, value) in samples {
      var known = series[labels] ?? PlainSeries()
      let last = known.samples.last
      if let last, last.time >= time {
        if last.time == time { report.duplicates += 1 } else { report.outOfOrder += 1 }
      } else if let owner = known.origin, owner != origin, last?.isStale == false {
        report.conflicts += 1
      } else {
        known.origin = origin
        known.samples.append(TestSample(time, value))
        report.appended += 1
      }
      series[labels] = known
    }
    if isComplete { report.stalenessMarkers = endAbsent(of: origin, at: time) }
    return report
  }

  mutating func close(_ origin: Int, endingAt time: Int64?) {
    if let time {
      let end = max(time, (newest[origin] ?? .min) + 1)
      _ = endAbsent(of: origin, at: end)
    }
    for labels in series.keys where series[labels]?.origin == origin { series[labels]?.origin = nil }
    newest[origin] = nil
  }

  private mutating func endAbsent(of origin: Int, at time: Int64) -> Int {
    var ended = 0
    for (labels, known) in series where known.origin == origin {
      guard let last = known.samples.last, last.time < time, !last.isStale else { continue }
      series[labels]?.samples.append(.stale(time))
      ended += 1
    }
    return ended
  }
}

@Suite(.timeLimit(.minutes(1))) struct StoreModelTests {
  /// Random batches of some origins that quarrel over series, pause, close and come back; now and then all is read.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func behavesLikePlainArrays(_ seed: UInt64) throws {
    var random = FixedRandom(state: seed)
    var plain = PlainStore()
    let store = SeriesStore(policy: .everything)
    let labels = (0..<30).map {
      Labels(["__name__": "m\($0 % 5)", "n": "\($0)"].map { Labels.Pair($0.key, $0.value) })
    }
    let patterns = labels.map { _ in
      (ValuePattern.hostile + ValuePattern.ofRedis.map(\.pattern)).randomElement(using: &random)!
    }
    var values = [Double](repeating: 0, count: labels.count)
    var origins = (0..<3).map { _ in store.openOrigin() }
    var time: Int64 = 0
    for step in 0..<900 {
      let origin = Int.random(in: 0..<3, using: &random)
      time += [0, 1, 5000, 5001, 4999, random.isOnce(in: 50) ? 1 << 33 : 1].randomElement(using: &random)!
      if random.isOnce(in: 200) {
        let end: Int64? = random.isOnce(in: 2) ? time : nil
        try store.close(origins[origin], endingSeriesAtMilliseconds: end)
        plain.close(origin, endingAt: end)
        origins[origin] = store.openOrigin()
      }
      var samples: [(Labels, Double)] = []
      for index in labels.indices where index % 3 == origin || random.isOnce(in: 15) {
        if random.isOnce(in: 12) { continue }
        values[index] = patterns[index].next(step, values[index], &random)
        samples.append((labels[index], values[index]))
      }
      let at = random.isOnce(in: 40) ? time - 1 : time
      let isComplete = !random.isOnce(in: 4)
      var batch = SeriesBatch()
      for (labels, value) in samples { batch.append(value, to: try store.reference(to: labels)) }
      let report = try store.append(batch, atMilliseconds: at, from: origins[origin], isComplete: isComplete)
      #expect(report == plain.append(samples, at: at, from: origin, isComplete: isComplete), "step \(step)")
      if step % 300 == 299 { try compare(store, plain, upTo: time, &random) }
    }
    #expect(store.sampleCount == plain.series.values.reduce(0) { $0 + $1.samples.count })
  }

  private func compare(
    _ store: SeriesStore, _ plain: PlainStore, upTo time: Int64, _ random: inout FixedRandom
  ) throws {
    for round in 0..<8 {
      let from = round == 0 ? .min : Int64.random(in: 0...time, using: &random)
      let through = round == 0 ? .max : from + Int64.random(in: 0...1_000_000, using: &random)
      let found = try store.select([], fromMilliseconds: from, throughMilliseconds: through)
      let newest = try store.selectNewest([], fromMilliseconds: from, throughMilliseconds: through)
      let expected = plain.series.mapValues { series in
        series.samples.filter { $0.time >= from && $0.time <= through }
      }.filter { !$0.value.isEmpty }
      #expect(byLabels(found) == expected)
      #expect(byLabels(newest) == expected.mapValues { $0.suffix(1) })
    }
  }

  private func byLabels(_ series: [Series]) -> [Labels: [TestSample]] {
    Dictionary(
      uniqueKeysWithValues: series.map { series in
        (series.labels, series.samples.map { TestSample($0.timestampMilliseconds, $0.value) })
      })
  }
}
