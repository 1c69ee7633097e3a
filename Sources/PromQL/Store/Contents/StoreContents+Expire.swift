extension StoreContents {
  /// Lets go of what is older than it is kept: whole pages of chunks, and series with nothing left.
  mutating func expire(nowMilliseconds now: Int64) {
    clockMilliseconds = max(clockMilliseconds, now)
    let longest = policy.longestMilliseconds
    for source in origins.indices where origins[source].isOpen {
      if origins[source].newestMilliseconds < now - longest { endSilent(source) }
    }
    pages.drop(from: &timesRetention, before: now - longest)
    var gone: Set<UInt32> = []
    for index in retentions.indices {
      let horizon = now - retentions[index].keptMilliseconds
      pages.drop(from: &retentions[index], before: horizon)
      while let ended = retentions[index].ended.first, ended.newestMilliseconds < horizon {
        retentions[index].ended.removeFirst()
        if ended.newestMilliseconds == .min {
          // It was made before any time was known.
          retentions[index].ended.append(Retention.Ended(series: ended.series, newestMilliseconds: now))
          continue
        }
        if isGone(ended) { gone.insert(ended.series.slot) }
      }
    }
    remove(Array(gone))
  }

  /// Drops the page that ends first of all; false when there is none.
  mutating func dropOldestPage() -> Bool {
    var oldest = oldestPage(of: timesRetention)
    var owner: Int?
    for (index, retention) in retentions.enumerated() {
      let newest = oldestPage(of: retention)
      if newest < oldest { (oldest, owner) = (newest, index) }
    }
    if oldest == .max { return false }
    if let owner { pages.dropFirst(of: &retentions[owner]) } else { pages.dropFirst(of: &timesRetention) }
    return true
  }

  /// The newest time in a retention's first page.
  private func oldestPage(of retention: Retention) -> Int64 {
    retention.pages.first.map { pages.newestMilliseconds(ofPage: $0) } ?? .max
  }

  /// Files an origin's series that has said nothing for as long as anything is kept; they may come back.
  private mutating func endSilent(_ source: Int) {
    sealBlock(of: source)
    for slot in origins[source].members { end(slot) }
    origins[source].members = []
  }

  /// True unless the series has come back since, or its slot was given to another.
  private func isGone(_ ended: Retention.Ended) -> Bool {
    guard let slot = slot(of: ended.series), index.isUsed(ended.series.slot) else { return false }
    return series[slot].origin == SeriesState.noOrigin && series[slot].newestMilliseconds <= ended.newestMilliseconds
  }

  private mutating func remove(_ slots: [UInt32]) {
    index.remove(slots)
    for slot in slots {
      columnBytes -= series[Int(slot)].column.heapByteCount
      let next = series[Int(slot)].generation &+ 1
      series[Int(slot)] = SeriesState(retention: 0, generation: next)
    }
    counters.seriesRemoved += slots.count
  }
}
