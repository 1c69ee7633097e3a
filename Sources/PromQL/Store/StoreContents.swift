/// All that a ``SeriesStore`` holds; the store puts a lock around it.
struct StoreContents: Sendable {
  var limits: SeriesLimits
  var policy: HistoryPolicy
  var index = LabelIndex()
  var series = PagedArray<SeriesState>()
  var origins: [OriginState] = []
  var freeOrigins: [Int] = []
  var pages = ChunkPages()
  var retentions: [Retention] = []
  /// The times of blocks, kept as long as anything is.
  var timesRetention: Retention
  /// What times within are behind those that others know, because the clock was set.
  var shiftMilliseconds: Int64 = 0
  /// The newest time seen.
  var clockMilliseconds = Int64.min
  var counters = SeriesStoreCounters()
  var openBlocks = OpenBlocks()
  /// Chunks are put together here.
  var scratch: [UInt64] = []
  /// Writes the times of blocks.
  var timesWriter = ColumnWriter()

  /// What is not sealed yet.
  struct OpenBlocks {
    /// Samples in columns.
    var sampleCount = 0
    /// Of columns on the heap.
    var columnBytes = 0
    /// Of times.
    var timesBytes = 0
  }

  init(limits: SeriesLimits, policy: HistoryPolicy) {
    self.limits = limits
    self.policy = policy
    timesRetention = Retention(keptMilliseconds: policy.longestMilliseconds)
  }

  /// A time of others as it is within; the ends of time stay what they are.
  func innerTime(_ time: Int64) -> Int64 {
    let (inner, isBeyond) = time.subtractingReportingOverflow(shiftMilliseconds)
    return isBeyond || time == .min || time == .max ? time : inner
  }

  /// The series of a reference, unless it is gone.
  func slot(of reference: SeriesReference) -> Int? {
    let slot = Int(reference.slot)
    guard slot < series.count, series[slot].generation == reference.generation else { return nil }
    return slot
  }

  func reference(_ slot: UInt32) -> SeriesReference {
    SeriesReference(slot: slot, generation: series[Int(slot)].generation)
  }

  /// The series with these labels, a new one if there is none.
  mutating func reference(to labels: Labels) throws(SeriesStoreError) -> SeriesReference {
    if let slot = index.slot(of: labels) { return reference(slot) }
    do throws(SeriesStoreError) {
      try check(labels)
    } catch {
      counters.refusedForSpace += 1
      throw error
    }
    let slot = index.add(labels)
    let retention = UInt16(retentionIndex(keeping: policy.milliseconds(for: labels[Labels.metricName] ?? "")))
    if Int(slot) == series.count {
      series.append(SeriesState(retention: retention))
    } else {
      series[Int(slot)] = SeriesState(retention: retention, generation: series[Int(slot)].generation)
    }
    counters.seriesCreated += 1
    let reference = reference(slot)
    // Should no sample ever come, it goes as if it had ended now.
    retentions[Int(retention)].ended.append(Retention.Ended(series: reference, newestMilliseconds: clockMilliseconds))
    return reference
  }

  private func check(_ labels: Labels) throws(SeriesStoreError) {
    guard index.seriesCount < limits.series else { throw .tooManySeries(limit: limits.series) }
    guard labels.packed.count <= limits.labelBytesPerSeries else {
      throw .labelsTooLong(labels, limitBytes: limits.labelBytesPerSeries)
    }
    var cursor = PackedLabels.Cursor()
    var count = 0
    while cursor.next(in: labels.packed) != nil { count += 1 }
    guard count <= limits.labelsPerSeries else { throw .tooManyLabels(labels, limit: limits.labelsPerSeries) }
  }

  // MARK: Origins

  mutating func openOrigin() -> SeriesOrigin {
    if let slot = freeOrigins.popLast() {
      origins[slot].isOpen = true
      return SeriesOrigin(slot: UInt32(slot), generation: origins[slot].generation)
    }
    origins.append(OriginState())
    return SeriesOrigin(slot: UInt32(origins.count - 1), generation: 0)
  }

  func slot(of origin: SeriesOrigin) throws(SeriesStoreError) -> Int {
    let slot = Int(origin.slot)
    guard slot < origins.count, origins[slot].isOpen, origins[slot].generation == origin.generation else {
      throw .closedOrigin
    }
    return slot
  }

  // MARK: Size

  var sampleBytes: Int { pages.byteCount + openBlocks.columnBytes + openBlocks.timesBytes }

  var size: SeriesStoreSize {
    var size = SeriesStoreSize()
    size.seriesCount = index.seriesCount
    size.sampleCount = pages.valueCount + openBlocks.sampleCount
    size.sampleBytes = sampleBytes
    size.indexBytes =
      index.byteCount + series.byteCount
      + origins.reduce(0) { $0 + $1.members.capacity * 4 + MemoryLayout<OriginState>.stride }
      + retentions.reduce(0) { $0 + $1.pages.byteCount + $1.ended.byteCount }
    return size
  }
}

/// What is held of each series beside its labels and its sealed chunks.
struct SeriesState: Sendable {
  static let noOrigin = UInt32.max

  /// The values since the last chunk was sealed. Its newest value stays known when it is empty.
  var column = ColumnWriter()
  /// The newest sealed chunk.
  var sealed = ChunkLink.none
  /// The newest sample of that chunk.
  var sealedNewestMilliseconds = Int64.min
  /// The newest sample of all.
  var newestMilliseconds = Int64.min
  /// The first sample since the series was made; it may be gone by now.
  var firstMilliseconds = Int64.max
  /// The slot of the column's first value in its origin's block.
  var firstSlot: UInt16 = 0
  /// Where its chunks are filed.
  var retention: UInt16
  /// Who appends to it.
  var origin = Self.noOrigin
  /// Changes when the slot is given to another series.
  var generation: UInt32 = 0

  /// True when the newest sample is the marker that the series has ended.
  var isStale: Bool { newestMilliseconds != .min && column.newest.isStalenessMarker }
}

/// The times that an origin's series share, and which series those are.
struct OriginState: Sendable {
  /// So many slots are sealed at once.
  static let slotsPerBlock = 240

  /// The times of the slots since the last block was sealed.
  var times: [Int64] = []
  var newestMilliseconds = Int64.min
  /// The series that belong to it: all that live, and those that ended within the block.
  var members: [UInt32] = []
  var isOpen = true
  var generation: UInt32 = 0
}

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
    openBlocks.timesBytes += (origins[source].times.capacity - before) * 8
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
    openBlocks.columnBytes += append(to: &series[slot])
    openBlocks.sampleCount += 1
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
    openBlocks.timesBytes -= origins[source].times.capacity * 8
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
    openBlocks.sampleCount -= Int(state.column.count)
    func forget(_ state: inout SeriesState) -> Int {
      let before = state.column.heapByteCount
      state.column.removeAll()
      state.sealed = link
      state.sealedNewestMilliseconds = state.newestMilliseconds
      return state.column.heapByteCount - before
    }
    openBlocks.columnBytes += forget(&series[slot])
  }

  /// Nobody gives the series from now on. Its column is sealed.
  mutating func end(_ slot: UInt32) {
    series[Int(slot)].origin = SeriesState.noOrigin
    let ended = Retention.Ended(
      series: reference(slot), newestMilliseconds: series[Int(slot)].newestMilliseconds)
    retentions[Int(series[Int(slot)].retention)].ended.append(ended)
  }
}

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
      openBlocks.columnBytes -= series[Int(slot)].column.heapByteCount
      let next = series[Int(slot)].generation &+ 1
      series[Int(slot)] = SeriesState(retention: 0, generation: next)
    }
    counters.seriesRemoved += slots.count
  }
}

extension StoreContents {
  /// Files what comes from now on under another policy. What is sealed already stays for as long as the series that
  /// were filed with it are kept now.
  mutating func replacePolicy(_ policy: HistoryPolicy) {
    if policy == self.policy { return }
    self.policy = policy
    timesRetention.keptMilliseconds = policy.longestMilliseconds
    for index in retentions.indices { retentions[index].isRetired = true }
    var filing = Filing(kept: [Int64](repeating: 0, count: retentions.count), isFiled: [])
    filing.isFiled = [Bool](repeating: false, count: series.count)
    for name in index.table.labels(ofName: Labels.metricNameBytes) {
      let milliseconds = policy.milliseconds(for: String(decoding: index.table.value(of: name), as: UTF8.self))
      refile(index.series(withLabel: name), keeping: milliseconds, &filing)
    }
    let unnamed = index.allSeries.filter { !filing.isFiled[Int($0)] }
    refile(unnamed, keeping: policy.milliseconds(for: ""), &filing)
    for (index, milliseconds) in filing.kept.enumerated() where retentions[index].isRetired {
      retentions[index].keptMilliseconds = milliseconds
    }
  }

  private struct Filing {
    /// How long the series of each retention of before are kept now.
    var kept: [Int64]
    var isFiled: [Bool]
  }

  private mutating func refile(_ slots: [UInt32], keeping milliseconds: Int64, _ filing: inout Filing) {
    if slots.isEmpty { return }
    let retention = retentionIndex(keeping: milliseconds)
    for slot in slots {
      let old = Int(series[Int(slot)].retention)
      if old < filing.kept.count { filing.kept[old] = max(filing.kept[old], milliseconds) }
      series[Int(slot)].retention = UInt16(retention)
      filing.isFiled[Int(slot)] = true
    }
  }

  /// The retention for what is kept so long.
  mutating func retentionIndex(keeping milliseconds: Int64) -> Int {
    if let index = retentions.firstIndex(where: { $0.keptMilliseconds == milliseconds && !$0.isRetired }) {
      return index
    }
    let retention = Retention(keptMilliseconds: milliseconds)
    if let index = retentions.firstIndex(where: { $0.isRetired && $0.isEmpty }) {
      retentions[index] = retention
      return index
    }
    retentions.append(retention)
    return retentions.count - 1
  }
}
