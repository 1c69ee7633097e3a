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
