extension StoreContents {
  /// Files the values of an origin's series as chunks, with the times that they share. Series that ended leave it.
  mutating func sealBlock(of source: Int) {
    if origins[source].times.isEmpty { return }
    let times = sealTimes(of: source)
    var living: [UInt32] = []
    living.reserveCapacity(origins[source].members.count)
    for slot in origins[source].members {
      seal(Int(slot), times: times)
      if series[Int(slot)].isStale { end(slot) } else { living.append(slot) }
    }
    origins[source].members = living
  }

  /// Closes an origin. With a time its series end there: each gets a staleness marker, at that time or right after its
  /// newest sample if that is later.
  mutating func close(_ source: Int, endingSeriesAtMilliseconds time: Int64?) throws(SeriesStoreError) {
    if let time {
      let end = max(time, origins[source].newestMilliseconds + 1)
      let origin = SeriesOrigin(slot: UInt32(source), generation: origins[source].generation)
      _ = try append(SeriesBatch(), atMilliseconds: end, from: origin, isComplete: true)
    }
    sealBlock(of: source)
    for slot in origins[source].members { end(slot) }
    timesBytes -= origins[source].times.capacity * 8
    origins[source] = OriginState(isOpen: false, generation: origins[source].generation &+ 1)
    freeOrigins.append(source)
  }

  private mutating func sealTimes(of source: Int) -> ChunkLink {
    timesWriter.removeAll()
    for time in origins[source].times { timesWriter.append(Double(time)) }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(0)
    timesWriter.appendWords(to: &scratch)
    scratch[0] = TimesHeader(slotCount: origins[source].times.count, columnWords: scratch.count - 1).word
    origins[source].times.removeAll(keepingCapacity: true)
    let newest = origins[source].newestMilliseconds
    return pages.append(scratch, newestMilliseconds: newest, valueCount: 0, to: &timesRetention)
  }

  private mutating func seal(_ slot: Int, times: ChunkLink) {
    let state = series[slot]
    if state.column.count == 0 { return }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: repeatElement(0, count: ChunkHeader.wordCount))
    state.column.appendWords(to: &scratch)
    let header = ChunkHeader(
      previous: state.sealed, times: times, previousNewestMilliseconds: state.sealedNewestMilliseconds,
      firstSlot: state.firstSlot, valueCount: state.column.count,
      columnWords: scratch.count - ChunkHeader.wordCount)
    header.write(to: &scratch)
    let link = pages.append(
      scratch, newestMilliseconds: state.newestMilliseconds, valueCount: Int(state.column.count),
      to: &retentions[Int(state.retention)])
    openCount -= Int(state.column.count)
    func forget(_ state: inout SeriesState) -> Int {
      let before = state.column.heapByteCount
      state.column.removeAll()
      state.sealed = link
      state.sealedNewestMilliseconds = state.newestMilliseconds
      return state.column.heapByteCount - before
    }
    columnBytes += forget(&series[slot])
  }

  /// Nobody gives the series from now on. Its column is sealed.
  mutating func end(_ slot: UInt32) {
    series[Int(slot)].origin = SeriesState.noOrigin
    let ended = Retention.Ended(
      series: reference(slot), newestMilliseconds: series[Int(slot)].newestMilliseconds)
    retentions[Int(series[Int(slot)].retention)].ended.append(ended)
  }
}
