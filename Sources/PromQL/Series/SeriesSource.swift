/// A series as a query reads it.
public struct Series: Sendable {
  public let labels: Labels
  /// Oldest first, every timestamp once, staleness markers included.
  public let samples: [Sample]

  public init(labels: Labels, samples: [Sample]) {
    self.labels = labels
    self.samples = samples
  }
}

/// Where queries find series.
///
/// The order of the series returned is free; each label set may appear once. Errors thrown end the query with their
/// text.
public protocol SeriesSource: Sendable {
  /// The series that every matcher matches, each with its samples of the closed interval. Series without one may be
  /// left out.
  func select(_ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64) throws -> [Series]

  /// As `select`, but only the newest sample of each series is needed: what a selector without a range asks for at one
  /// moment. A source that can tell it without reading the others should.
  func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64
  ) throws -> [Series]

  /// As the two above; `charge` is called with each series before the next is read, and what it throws ends the selection.
  func select(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64, charge: (Series) throws -> Void
  ) throws -> [Series]
  func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64, charge: (Series) throws -> Void
  ) throws -> [Series]
}

extension SeriesSource {
  public func select(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64, charge: (Series) throws -> Void
  ) throws -> [Series] {
    let found = try select(matchers, fromMilliseconds: fromMilliseconds, throughMilliseconds: throughMilliseconds)
    for series in found { try charge(series) }
    return found
  }

  public func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64, charge: (Series) throws -> Void
  ) throws -> [Series] {
    let found = try selectNewest(
      matchers, fromMilliseconds: fromMilliseconds, throughMilliseconds: throughMilliseconds)
    for series in found { try charge(series) }
    return found
  }

  public func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64
  ) throws -> [Series] {
    try select(matchers, fromMilliseconds: fromMilliseconds, throughMilliseconds: throughMilliseconds)
      .map { Series(labels: $0.labels, samples: Array($0.samples.suffix(1))) }
  }
}

/// One value of a series at one time.
public struct Sample: Sendable, Equatable {
  /// Milliseconds since the epoch.
  public var timestampMilliseconds: Int64
  public var value: Double

  public init(timestampMilliseconds: Int64, value: Double) {
    self.timestampMilliseconds = timestampMilliseconds
    self.value = value
  }

  /// True for the marker that ends a series until its next sample.
  public var isStale: Bool { value.isStalenessMarker }
}

extension Double {
  /// The NaN that says that a series has ended. Only its bits tell it from other NaNs.
  public static let stalenessMarker = Double(bitPattern: stalenessBits)

  /// True for the staleness marker alone, not for other NaNs.
  @inlinable public var isStalenessMarker: Bool { bitPattern == 0x7FF0_0000_0000_0002 }

  private static let stalenessBits: UInt64 = 0x7FF0_0000_0000_0002
}

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
