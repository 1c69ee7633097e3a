import Testing

@testable import PromQL

@Suite(.timeLimit(.minutes(1))) struct StoreConcurrencyTests {
  /// Readers beside writers, an expiry and policy changes: every series that is read is whole up to some moment.
  @Test func readersSeeWholeHistories() async throws {
    let store = SeriesStore(policy: HistoryPolicy(defaultMilliseconds: 1 << 40))
    let steps = 600
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in 0..<3 {
        group.addTask {
          let origin = store.openOrigin()
          let labels = (0..<20).map { Labels([.init("__name__", "m\($0)"), .init("node", "\(node)")]) }
          for step in 0..<steps {
            var batch = SeriesBatch()
            for (index, labels) in labels.enumerated() {
              batch.append(Double(step * (index + 1)), to: try store.reference(to: labels))
            }
            try store.append(batch, atMilliseconds: Int64(step), from: origin)
            if step % 50 == 0 { await Task.yield() }
          }
        }
      }
      for reader in 0..<2 {
        group.addTask {
          let pattern = try LabelMatcher("__name__", .matches, reader == 0 ? "m[0-9]" : "m1.*|m.")
          for round in 0..<25 {
            for series in try store.select([pattern], fromMilliseconds: 0, throughMilliseconds: .max) {
              let factor = Double(series.labels["__name__"]!.dropFirst())! + 1
              let isWhole = series.samples.enumerated().allSatisfy { step, sample in
                sample.timestampMilliseconds == step && sample.value == Double(step) * factor
              }
              #expect(isWhole)
            }
            _ = try store.selectNewest([pattern], fromMilliseconds: 0, throughMilliseconds: Int64(round))
            _ = store.labelValues(of: "node")
            await Task.yield()
          }
        }
      }
      group.addTask {
        for round in 0..<25 {
          store.expire(nowMilliseconds: 0)
          store.policy = HistoryPolicy(defaultMilliseconds: 1 << 40 + Int64(round % 2))
          #expect(store.size.sampleCount >= 0)
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    let all = try store.select([], fromMilliseconds: 0, throughMilliseconds: .max)
    #expect(all.count == 60)
    #expect(all.allSatisfy { $0.samples.count == steps })
  }
}
