extension StoreContents {
  /// Times are written as doubles, which are exact so far.
  private static let timeLimit: UInt64 = 1 << 53

  /// - Parameter isComplete: the origin's series that are absent have ended.
  mutating func append(
    _ samples: SeriesBatch, atMilliseconds time: Int64, from origin: SeriesOrigin, isComplete: Bool
  ) throws(SeriesStoreError) -> AppendReport {
    guard time.magnitude < Self.timeLimit else { throw .timeOutOfRange(milliseconds: time) }
    let source = try slot(of: origin)
    var report = AppendReport()
    defer { count(report) }
    do throws(SeriesStoreError) {
      try makeRoom()
    } catch {
      counters.refusedForSpace += samples.count
      throw error
    }
    guard time >= origins[source].newestMilliseconds else {
      report.outOfOrder = samples.count
      return report
    }
    if samples.count == 0 && !isComplete { return report }
    beginSlot(atMilliseconds: time, of: source)
    for position in 0..<samples.count {
      append(samples.values[position], to: samples.references[position], at: position, of: source, &report)
    }
    if isComplete { markAbsent(of: source, &report) }
    return report
  }

  private mutating func beginSlot(atMilliseconds time: Int64, of source: Int) {
    if origins[source].newestMilliseconds == time && !origins[source].times.isEmpty { return }
    if origins[source].times.count == OriginState.slotsPerBlock { sealBlock(of: source) }
    let before = origins[source].times.capacity
    origins[source].times.append(time)
    timesBytes += (origins[source].times.capacity - before) * 8
    origins[source].newestMilliseconds = time
    clockMilliseconds = max(clockMilliseconds, time)
  }

  private mutating func append(
    _ value: Double, to reference: SeriesReference, at position: Int, of source: Int, _ report: inout AppendReport
  ) {
    guard let slot = slot(of: reference) else { return report.unknown.append(position) }
    let time = origins[source].newestMilliseconds
    guard series[slot].newestMilliseconds < time else {
      if series[slot].newestMilliseconds == time { report.duplicates += 1 } else { report.outOfOrder += 1 }
      return
    }
    guard series[slot].origin == UInt32(source) || adopt(slot, by: source) else {
      report.conflicts += 1
      return
    }
    write(value, to: slot, of: source)
    report.appended += 1
  }

  /// Takes a series over that nobody gives any more; false when somebody does.
  private mutating func adopt(_ slot: Int, by source: Int) -> Bool {
    if series[slot].origin != SeriesState.noOrigin {
      guard series[slot].isStale else { return false }
      // Its last values hang on the times of the origin that it leaves.
      sealBlock(of: Int(series[slot].origin))
    }
    series[slot].origin = UInt32(source)
    origins[source].members.append(UInt32(slot))
    return true
  }

  private mutating func write(_ value: Double, to slot: Int, of source: Int) {
    let position = origins[source].times.count - 1
    let time = origins[source].newestMilliseconds
    func append(to state: inout SeriesState) -> Int {
      let before = state.column.heapByteCount
      if state.column.count == 0 { state.firstSlot = UInt16(position) }
      let empty = position - Int(state.firstSlot) - Int(state.column.slotCount)
      state.column.append(value, afterEmpty: empty)
      if state.newestMilliseconds == .min { state.firstMilliseconds = time }
      state.newestMilliseconds = time
      return state.column.heapByteCount - before
    }
    columnBytes += append(to: &series[slot])
    openCount += 1
  }

  private mutating func markAbsent(of source: Int, _ report: inout AppendReport) {
    let time = origins[source].newestMilliseconds
    for index in origins[source].members.indices {
      let slot = Int(origins[source].members[index])
      if series[slot].newestMilliseconds == time || series[slot].isStale { continue }
      write(.stalenessMarker, to: slot, of: source)
      report.stalenessMarkers += 1
    }
  }

  /// Lets the oldest samples go when all take too much.
  private mutating func makeRoom() throws(SeriesStoreError) {
    while sampleBytes > limits.sampleBytes {
      guard dropOldestPage() else { throw .samplesTooLarge(limitBytes: limits.sampleBytes) }
      counters.pagesDroppedForSpace += 1
    }
  }

  private mutating func count(_ report: AppendReport) {
    counters.appended += report.appended + report.stalenessMarkers
    counters.stalenessMarkers += report.stalenessMarkers
    counters.outOfOrder += report.outOfOrder
    counters.duplicates += report.duplicates
    counters.conflicts += report.conflicts
    counters.unknownSeries += report.unknown.count
  }
}
