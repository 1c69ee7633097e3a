import Runtime

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
