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

extension SeriesStore: SeriesSource {
  /// So many words are copied while the lock is held.
  private static let wordsPerSlice = 16 << 10

  public func select(
    _ matchers: [LabelMatcher], fromMilliseconds from: Int64, throughMilliseconds through: Int64
  ) throws -> [Series] {
    try select(matchers, fromMilliseconds: from, throughMilliseconds: through) { _ in }
  }

  public func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds from: Int64, throughMilliseconds through: Int64
  ) throws -> [Series] {
    try selectNewest(matchers, fromMilliseconds: from, throughMilliseconds: through) { _ in }
  }

  public func select(
    _ matchers: [LabelMatcher], fromMilliseconds from: Int64, throughMilliseconds through: Int64,
    charge: (Series) throws -> Void
  ) throws -> [Series] {
    let references = SeriesFinder(matchers, in: contents).find()
    var result: [Series] = []
    var limit = selectionLimit
    try read(references[...], from: from, through: through, into: &result, limit: &limit, charge)
    return result
  }

  public func selectNewest(
    _ matchers: [LabelMatcher], fromMilliseconds from: Int64, throughMilliseconds through: Int64,
    charge: (Series) throws -> Void
  ) throws -> [Series] {
    let references = SeriesFinder(matchers, in: contents).find()
    var result: [Series] = []
    result.reserveCapacity(references.count)
    // Mostly the newest sample of all is the one, and it is at hand.
    var older: [SeriesReference] = []
    try contents.withLock { contents in
      let (innerFrom, innerThrough) = (contents.innerTime(from), contents.innerTime(through))
      for reference in references {
        guard let slot = contents.slot(of: reference) else { continue }
        let newest = contents.series[slot].newestMilliseconds
        if newest > innerThrough {
          older.append(reference)
        } else if newest >= innerFrom {
          let sample = Sample(
            timestampMilliseconds: newest + contents.shiftMilliseconds, value: contents.series[slot].column.newest)
          let series = Series(labels: contents.labels(of: slot), samples: [sample])
          try charge(series)
          result.append(series)
        }
      }
    }
    var earlier: [Series] = []
    var limit = selectionLimit
    try read(older[...], from: from, through: through, into: &earlier, limit: &limit, charge)
    return result + earlier.map { Series(labels: $0.labels, samples: Array($0.samples.suffix(1))) }
  }

  private var selectionLimit: Int { contents.withLock { $0.limits.selectedSamples } }

  /// Copies slice by slice, so that appends get their turn, and reads each slice without the lock.
  private func read(
    _ references: ArraySlice<SeriesReference>, from: Int64, through: Int64, into result: inout [Series],
    limit: inout Int, _ charge: (Series) throws -> Void
  ) throws {
    let whole = limit
    var rest = references
    while !rest.isEmpty {
      var extract = contents.withLock { contents in
        SeriesExtract(
          fromMilliseconds: contents.innerTime(from), throughMilliseconds: contents.innerTime(through),
          shiftMilliseconds: contents.shiftMilliseconds)
      }
      contents.withLock { contents in
        while let reference = rest.first, extract.wordCount < Self.wordsPerSlice {
          rest.removeFirst()
          if let slot = contents.slot(of: reference) { extract.add(slot, of: contents) }
        }
      }
      guard try extract.read(into: &result, limit: &limit, charge) else {
        throw SeriesStoreError.tooManySamplesSelected(limit: whole)
      }
    }
  }

  // MARK: Listing

  /// All times.
  public static let allTimes: ClosedRange<Int64> = .min ... .max

  /// The labels of the series that some list of matchers matches, each once, sorted.
  ///
  /// - Parameter times: only series that had begun at its end and were not over at its start, in milliseconds since 1970.
  public func series(matching lists: [[LabelMatcher]], within times: ClosedRange<Int64> = allTimes) -> [Labels] {
    let references = references(matching: lists)
    return contents.withLock { contents in
      contents.slots(of: references, within: times).map { contents.labels(of: $0) }
    }.sorted()
  }

  /// The names that the labels of those series have, sorted; with no list of all series.
  public func labelNames(
    matching lists: [[LabelMatcher]] = [], within times: ClosedRange<Int64> = allTimes
  ) -> [String] {
    if lists.isEmpty && times == Self.allTimes { return sortedTexts(contents.withLock { $0.index.table.usedNames }) }
    let references = references(matching: lists.isEmpty ? [[]] : lists)
    return sortedTexts(
      contents.withLock { contents in
        let labels = contents.distinctLabels(of: references, within: times)
        return Array(Set(labels.map { contents.index.table.name(of: $0) }))
      })
  }

  /// The values that a label has in those series, sorted; with no list in all series.
  public func labelValues(
    of name: String, matching lists: [[LabelMatcher]] = [], within times: ClosedRange<Int64> = allTimes
  ) -> [String] {
    let bytes = Array(name.utf8)
    if lists.isEmpty && times == Self.allTimes {
      return sortedTexts(
        contents.withLock { contents in
          contents.index.table.labels(ofName: bytes).map { Array(contents.index.table.value(of: $0)) }
        })
    }
    let references = references(matching: lists.isEmpty ? [[]] : lists)
    return sortedTexts(
      contents.withLock { contents in
        guard let number = contents.index.table.nameNumber(of: bytes) else { return [] }
        return contents.distinctLabels(of: references, within: times)
          .filter { contents.index.table[$0].name == number }
          .map { Array(contents.index.table.value(of: $0)) }
      })
  }

  private func references(matching lists: [[LabelMatcher]]) -> [SeriesReference] {
    if lists.count == 1 { return SeriesFinder(lists[0], in: contents).find() }
    return Array(Set(lists.flatMap { SeriesFinder($0, in: contents).find() }))
  }

  private func sortedTexts(_ texts: [[UInt8]]) -> [String] {
    texts.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
  }
}

extension StoreContents {
  func labels(of slot: Int) -> Labels { Labels(packed: index.packedLabels(of: UInt32(slot))) }

  func distinctLabels(of references: [SeriesReference], within times: ClosedRange<Int64>) -> Set<UInt32> {
    var labels: Set<UInt32> = []
    for slot in slots(of: references, within: times) { labels.formUnion(index.labels(of: UInt32(slot))) }
    return labels
  }

  /// The slots of series that are still there, had begun by the end of that time and were not over at its start.
  func slots(of references: [SeriesReference], within times: ClosedRange<Int64>) -> [Int] {
    let times = innerTime(times.lowerBound)...innerTime(times.upperBound)
    return references.compactMap { slot(of: $0) }.filter {
      series[$0].newestMilliseconds >= times.lowerBound && series[$0].firstMilliseconds <= times.upperBound
    }
  }
}

/// Samples of one moment.
public struct SeriesBatch: Sendable {
  private(set) var references: [SeriesReference] = []
  private(set) var values: [Double] = []

  public init() {}

  public var count: Int { references.count }

  public mutating func append(_ value: Double, to series: SeriesReference) {
    references.append(series)
    values.append(value)
  }

  public mutating func reserveCapacity(_ count: Int) {
    references.reserveCapacity(count)
    values.reserveCapacity(count)
  }

  /// Empties the batch; its room stays for the next one.
  public mutating func removeAll() {
    references.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }
}

/// A series of a ``SeriesStore``, found without its labels. It stays good for as long as the series is there.
public struct SeriesReference: Sendable, Hashable {
  let slot: UInt32
  let generation: UInt32
}

/// Who appends samples that share their times: a target, a rule group, a loaded file.
///
/// A series belongs to one origin at a time, from its first sample there until its end or the origin's.
public struct SeriesOrigin: Sendable, Hashable {
  let slot: UInt32
  let generation: UInt32
}

/// What happened in a ``SeriesStore`` since it was made.
public struct SeriesStoreCounters: Sendable, Equatable {
  /// Samples taken, staleness markers included.
  public var appended = 0
  /// Staleness markers written for series that were absent.
  public var stalenessMarkers = 0
  /// Samples refused because a newer one was there.
  public var outOfOrder = 0
  /// Samples refused because one of the same time was there.
  public var duplicates = 0
  /// Samples refused because another origin gives the same series.
  public var conflicts = 0
  /// Samples refused because their series is gone.
  public var unknownSeries = 0
  /// Samples and series refused because the store was full.
  public var refusedForSpace = 0
  /// Pages of the oldest chunks that went before their time because samples took too many bytes.
  public var pagesDroppedForSpace = 0
  public var seriesCreated = 0
  public var seriesRemoved = 0

  public init() {}
}

/// What a ``SeriesStore`` holds.
public struct SeriesStoreSize: Sendable, Equatable {
  public var seriesCount = 0
  /// Samples that can be read, staleness markers included, and those whose chunks are due to go.
  public var sampleCount = 0
  /// Bytes of all samples.
  public var sampleBytes = 0
  /// Bytes of labels, their index and the state of each series.
  public var indexBytes = 0

  public init() {}

  public var byteCount: Int { sampleBytes + indexBytes }
}

/// What became of one batch.
public struct AppendReport: Sendable, Equatable {
  public var appended = 0
  /// Series that were absent and got a staleness marker.
  public var stalenessMarkers = 0
  public var outOfOrder = 0
  public var duplicates = 0
  /// Of series that another origin gives.
  public var conflicts = 0
  /// Where in the batch references stand whose series are gone. A new reference for the same labels, appended with the
  /// same time, brings their samples in.
  public var unknown: [Int] = []

  public init() {}
}
