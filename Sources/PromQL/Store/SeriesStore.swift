import Runtime

/// Compressed samples of many series, in memory, for rules and queries to read.
///
/// Samples come in batches of one time each, from origins: a target, a rule group. The series of an origin share their
/// times, so that a sample costs little more than the change of its value. One lock guards all; an append holds it for
/// some ten nanoseconds a sample, and a selection only while it copies compressed chunks, a slice at a time.
public final class SeriesStore: Sendable {
  let contents: Lock<StoreContents>

  public init(policy: HistoryPolicy, limits: SeriesLimits = SeriesLimits()) {
    contents = Lock(StoreContents(limits: limits, policy: policy))
  }

  // MARK: Writing

  /// A new origin of samples.
  public func openOrigin() -> SeriesOrigin {
    contents.withLock { $0.openOrigin() }
  }

  /// Ends an origin.
  ///
  /// - Parameter time: milliseconds since the epoch at which its series end: each gets a staleness marker, at that time
  ///   or right after its newest sample if that is later. Nil when they only pause, to be taken up by another origin.
  public func close(_ origin: SeriesOrigin, endingSeriesAtMilliseconds time: Int64?) throws(SeriesStoreError) {
    try contents.withLock { contents throws(SeriesStoreError) in
      try contents.close(
        contents.slot(of: origin), endingSeriesAtMilliseconds: time.map { contents.innerTime($0) })
    }
  }

  /// The series with these labels, made if there is none: what a batch names it by.
  public func reference(to labels: Labels) throws(SeriesStoreError) -> SeriesReference {
    try contents.withLock { contents throws(SeriesStoreError) in try contents.reference(to: labels) }
  }

  /// Appends an origin's samples of one time. A later batch of the same time adds to it.
  ///
  /// Refused and counted, while the others are taken: samples of series with a sample of that time or a newer one,
  /// samples of series that another origin gives, and references of series that are gone.
  /// - Parameters:
  ///   - time: milliseconds since the epoch; not before the origin's newest.
  ///   - isComplete: with this batch all of that time has come: the origin's other series have ended and get a
  ///     staleness marker.
  @discardableResult
  public func append(
    _ batch: SeriesBatch, atMilliseconds time: Int64, from origin: SeriesOrigin, isComplete: Bool = true
  ) throws(SeriesStoreError) -> AppendReport {
    try contents.withLock { contents throws(SeriesStoreError) in
      try contents.append(
        batch, atMilliseconds: contents.innerTime(time), from: origin, isComplete: isComplete)
    }
  }

  // MARK: History

  /// Lets go of what is older than the policy keeps it. To be called every minute or so.
  public func expire(nowMilliseconds now: Int64) {
    contents.withLock { $0.expire(nowMilliseconds: $0.innerTime(now)) }
  }

  /// The clock was set: all samples are as old by the new one as they were by the old one.
  ///
  /// - Parameter distance: negative for a clock that was put back.
  public func shift(byMilliseconds distance: Int64) {
    contents.withLock { $0.shiftMilliseconds += distance }
  }

  /// How long samples are kept. A longer time holds for what has not gone yet. To set another one looks at every series.
  public var policy: HistoryPolicy {
    get { contents.withLock { $0.policy } }
    set { contents.withLock { $0.replacePolicy(newValue) } }
  }

  /// What it may hold. With less room, the oldest samples go at the next append.
  public var limits: SeriesLimits {
    get { contents.withLock { $0.limits } }
    set { contents.withLock { $0.limits = newValue } }
  }

  // MARK: Measures

  public var size: SeriesStoreSize { contents.withLock { $0.size } }
  public var counters: SeriesStoreCounters { contents.withLock { $0.counters } }
  public var seriesCount: Int { size.seriesCount }
  public var sampleCount: Int { size.sampleCount }
  public var byteCount: Int { size.byteCount }
}
