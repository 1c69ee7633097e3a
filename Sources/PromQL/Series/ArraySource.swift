/// Series held as plain arrays: for tests of rules and queries, not for keeping history.
public struct ArraySource: SeriesSource {
  private var samples: [Labels: [Sample]] = [:]

  public init() {}

  /// Adds samples to a series; of several with the same timestamp the last one added holds.
  public mutating func append(_ added: [Sample], to labels: Labels) {
    guard let held = samples[labels], let last = held.last, let first = added.first else {
      samples[labels] = Self.ordered(added)
      return
    }
    let isBehind = first.timestampMilliseconds > last.timestampMilliseconds
    if isBehind, added.count == 1 {
      samples[labels]!.append(first)
    } else {
      samples[labels] = Self.ordered(held + added)
    }
  }

  private static func ordered(_ samples: [Sample]) -> [Sample] {
    var result: [Sample] = []
    let sorted = samples.enumerated().sorted {
      ($0.element.timestampMilliseconds, $0.offset) < ($1.element.timestampMilliseconds, $1.offset)
    }
    for (_, sample) in sorted {
      if result.last?.timestampMilliseconds == sample.timestampMilliseconds { result.removeLast() }
      result.append(sample)
    }
    return result
  }

  public func select(
    _ matchers: [LabelMatcher], fromMilliseconds start: Int64, throughMilliseconds end: Int64
  ) throws -> [Series] {
    var found: [Series] = []
    for (labels, samples) in samples where matchers.allSatisfy({ $0.matches(labels) }) {
      let first = Self.index(of: start, in: samples)
      let behind = end == .max ? samples.count : Self.index(of: end + 1, in: samples)
      if first < behind { found.append(Series(labels: labels, samples: Array(samples[first..<behind]))) }
    }
    return found.sorted { $0.labels < $1.labels }
  }

  /// The first index whose sample is not before `time`.
  private static func index(of time: Int64, in samples: [Sample]) -> Int {
    var (low, high) = (0, samples.count)
    while low < high {
      let middle = (low + high) / 2
      if samples[middle].timestampMilliseconds < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
