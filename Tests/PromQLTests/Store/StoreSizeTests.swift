import TestSupport
import Testing

@testable import PromQL

/// What samples and series cost. The numbers are printed; the limits are promises.
@Suite(.timeLimit(.minutes(1))) struct StoreSizeTests {
  /// The series of a node under load, polled every five seconds with a little jitter, for an hour and more.
  @Test func aSampleOfAMixTakesLittle() throws {
    let store = SeriesStore(policy: .everything)
    let origin = store.openOrigin()
    let patterns = ValuePattern.ofRedis.flatMap { share, pattern in [ValuePattern](repeating: pattern, count: share) }
    #expect(patterns.count == 100)
    let references = try patterns.indices.map { try store.reference(to: ["__name__": "m\($0)", "instance": "a"]) }
    var random = FixedRandom(state: 1)
    var values = [Double](repeating: 0, count: patterns.count)
    var time: Int64 = 1_700_000_000_000
    let steps = 240 * 4
    for step in 0..<steps {
      time += 5000 + Int64.random(in: -250...250, using: &random)
      var batch = SeriesBatch()
      for index in patterns.indices {
        values[index] = patterns[index].next(step, values[index], &random)
        batch.append(values[index], to: references[index])
      }
      try store.append(batch, atMilliseconds: time, from: origin)
    }
    let size = store.size
    #expect(size.sampleCount == steps * patterns.count)
    let bytes = Double(size.sampleBytes) / Double(size.sampleCount)
    print("bytes per sample of a node's mix: \(hundredths(bytes))")
    #expect(bytes <= 1.3)
  }

  /// Sealed, without what the store itself takes.
  @Test(arguments: ValuePattern.ofRedis.map(\.pattern))
  func aSampleTakesLittle(_ pattern: ValuePattern) {
    let values = pattern.values(960, seed: 1)
    var words: [UInt64] = []
    var writer = ColumnWriter()
    for (index, value) in values.enumerated() {
      if index % 240 == 0 { writer.removeAll() }
      writer.append(value)
      if index % 240 == 239 {
        words.append(contentsOf: repeatElement(0, count: ChunkHeader.wordCount))
        writer.appendWords(to: &words)
      }
    }
    let bytes = Double(words.count * 8) / Double(values.count)
    print("bytes per sample, \(pattern): \(hundredths(bytes))")
    #expect(bytes <= (pattern.description == "ratio of many places" ? 7.5 : 3))
  }

  /// Many nodes with the same metrics: what a series costs that does not change.
  @Test func anIdleSeriesTakesLittle() throws {
    let store = SeriesStore(policy: .everything)
    let (nodes, metrics) = (40, 450)
    for node in 0..<nodes {
      let origin = store.openOrigin()
      var batch = SeriesBatch()
      for metric in 0..<metrics {
        let reference = try store.reference(to: [
          "__name__": "redis_some_metric_name_\(metric)", "job": "redline", "environment": "production",
          "workload": "sessions-\(node % 7)", "instance": "redis-node-\(node).example.internal:6379",
        ])
        batch.append(1, to: reference)
      }
      for step in 0..<3 { try store.append(batch, atMilliseconds: Int64(step) * 5000, from: origin) }
    }
    let size = store.size
    #expect(size.seriesCount == nodes * metrics)
    let bytes = Double(size.byteCount) / Double(size.seriesCount)
    print("bytes per idle series: \(hundredths(bytes)), of it labels and index \(size.indexBytes / size.seriesCount)")
    #expect(bytes <= 256)
  }

  private func hundredths(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
