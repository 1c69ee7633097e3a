import Testing

@testable import PromQL

/// A store with origins by name, fed by label and read as plain arrays.
final class StoreBench {
  let store: SeriesStore
  private var origins: [String: SeriesOrigin] = [:]

  init(keeping policy: HistoryPolicy = .everything, limits: SeriesLimits = SeriesLimits()) {
    store = SeriesStore(policy: policy, limits: limits)
  }

  func origin(_ name: String) -> SeriesOrigin {
    if let origin = origins[name] { return origin }
    let origin = store.openOrigin()
    origins[name] = origin
    return origin
  }

  @discardableResult
  func append(
    _ samples: [Labels: Double], at time: Int64, from name: String = "node", isComplete: Bool = true
  ) throws -> AppendReport {
    try store.append(batch(samples), atMilliseconds: time, from: origin(name), isComplete: isComplete)
  }

  func batch(_ samples: [Labels: Double]) throws -> SeriesBatch {
    var batch = SeriesBatch()
    for (labels, value) in samples { batch.append(value, to: try store.reference(to: labels)) }
    return batch
  }

  func close(_ name: String, endingAt time: Int64?) throws {
    try store.close(origin(name), endingSeriesAtMilliseconds: time)
    origins[name] = nil
  }

  /// Times and values of one series, a staleness marker as nil.
  func samples(
    _ labels: Labels, from: Int64 = -Int64.max, through: Int64 = .max
  ) throws -> [TestSample] {
    let matchers = try labels.pairs.map { try LabelMatcher($0.name, .equal, $0.value) }
    let found = try store.select(matchers, fromMilliseconds: from, throughMilliseconds: through)
      .filter { $0.labels == labels }
    #expect(found.count <= 1)
    return found.first?.samples.map { TestSample($0.timestampMilliseconds, $0.value) } ?? []
  }
}

/// A sample that is compared bit by bit.
struct TestSample: Equatable, CustomStringConvertible {
  let time: Int64
  let bits: UInt64

  init(_ time: Int64, _ value: Double) {
    self.time = time
    bits = value.bitPattern
  }

  static func stale(_ time: Int64) -> TestSample { TestSample(time, .stalenessMarker) }

  var isStale: Bool { Double(bitPattern: bits).isStalenessMarker }
  var description: String { "\(time): \(isStale ? "stale" : "\(Double(bitPattern: bits))")" }
}
