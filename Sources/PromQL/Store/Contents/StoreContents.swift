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
  /// Samples in columns.
  var openCount = 0
  /// What the columns take on the heap.
  var columnBytes = 0
  /// What the times of the open blocks take.
  var timesBytes = 0
  /// Chunks are put together here.
  var scratch: [UInt64] = []
  /// Writes the times of blocks.
  var timesWriter = ColumnWriter()

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

  var sampleBytes: Int { pages.byteCount + columnBytes + timesBytes }

  var size: SeriesStoreSize {
    var size = SeriesStoreSize()
    size.seriesCount = index.seriesCount
    size.sampleCount = pages.valueCount + openCount
    size.sampleBytes = sampleBytes
    size.indexBytes =
      index.byteCount + series.byteCount
      + origins.reduce(0) { $0 + $1.members.capacity * 4 + MemoryLayout<OriginState>.stride }
      + retentions.reduce(0) { $0 + $1.pages.byteCount + $1.ended.byteCount }
    return size
  }
}
