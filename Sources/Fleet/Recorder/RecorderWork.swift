import Logging
import Metrics
import Redis
import Runtime

/// What the recorder's thread does: writes what others have coded, and codes what waits.
actor RecorderWork {
  private let log: Logger
  private var ring: SegmentRing
  private let state: Lock<RecorderState>
  /// When the open block began.
  private var blockBegan: Int64 = 0
  private var pages: PageWriter?
  private var surroundings: FlightRecorder.Surroundings?
  private var labels = RecordedLabels()
  private var shown = RecorderState.Shown()
  /// After a failure, the next try.
  private var retryAt: Int64 = .min
  private var problem: String?

  private static let blockBytes = 64 << 10
  private static let blockMilliseconds: Int64 = 5_000
  private static let retryMilliseconds: Int64 = 10_000
  private static let lookLimit = 8

  init(_ options: FlightRecorder.Options, sharing state: Lock<RecorderState>, log: Logger) {
    self.log = log
    self.state = state
    ring = SegmentRing(options.folder, keepSeconds: options.keepSeconds, sizeBytes: options.sizeBytes)
  }

  func open() {
    do throws(FileProblem) { try ring.open() } catch { fail(error, atMilliseconds: WallTime.now.epochMs) }
  }

  func close() { flush(atMilliseconds: WallTime.now.epochMs) }

  /// Writes what waits, and tells how it is doing.
  func write() {
    let began = threadSeconds()
    let now = WallTime.now.epochMs
    // Most often the second look finds nothing.
    for _ in 0..<Self.lookLimit {
      let (items, droppedCount) = state.withLock { $0.takeItems() }
      shown.dropped += droppedCount
      if droppedCount > 0, ring.isOpen { append(.dropped) { $0.add(droppedCount) } }
      for item in items { write(item, atMilliseconds: now) }
      guard surroundings != nil, isReady(atMilliseconds: now), !state.withLock({ $0.open() }) else { break }
    }
    flushIfDue(atMilliseconds: now)
    shown.bytes = ring.byteCount
    shown.oldest = ring.oldestMilliseconds.map { WallTime(epochMs: $0) }
    shown.isWriting = problem == nil
    shown.cpuSeconds += threadSeconds() - began
    state.withLock { $0.shown = shown }
  }

  private func write(_ item: RecorderState.Item, atMilliseconds now: Int64) {
    if case .surroundings(let new) = item { return apply(new, atMilliseconds: now) }
    guard surroundings != nil, isReady(atMilliseconds: now) else {
      state.withLock { $0.know(item) }
      if problem != nil { shown.dropped += 1 }
      return
    }
    switch item {
    case .poll, .probe, .gone, .judgement: state.withLock { $0.append(item) }
    case .page(let page, let values, let time):
      var records = RecordList()
      pages?.write(page, values, labels) { source in
        records.add(.source, source)
        // A page of thousands of servers is longer than a block.
        if records.byteCount >= Self.blockBytes { append(&records, atMilliseconds: now) }
      }
      append(&records, atMilliseconds: now)
      append(.page) { $0.add(signed: time) }
    case .evaluation(let evaluation): append(.evaluation) { evaluation.write(to: &$0) }
    case .shift(let milliseconds): append(.shift) { $0.add(signed: milliseconds) }
    case .surroundings: break
    }
    flushIfDue(atMilliseconds: now)
  }

  private func append(_ kind: RecordKind, _ body: (inout ByteWriter) -> Void) {
    state.withLock { $0.block.append(kind, body) }
  }

  private func append(_ records: inout RecordList, atMilliseconds now: Int64) {
    state.withLock { $0.block.append(records) }
    records.removeAll()
    flushIfDue(atMilliseconds: now)
  }

  private func apply(_ new: FlightRecorder.Surroundings, atMilliseconds now: Int64) {
    flush(atMilliseconds: now)
    ring.abandon()
    surroundings = new
    labels.configured = new.labelNames
    labels.known = new.values
    pages = PageWriter(new.families, namespace: new.namespace, areEdgesFloats: new.areEdgesFloats)
  }

  // MARK: Files

  /// Whether there is a segment to write to; begins one where that is due.
  private func isReady(atMilliseconds now: Int64) -> Bool {
    guard ring.isDue(atMilliseconds: now) else { return true }
    guard now >= retryAt else { return false }
    let texts = surroundings?.texts(labels) ?? []
    // What polls append from here on is told whole and belongs to the new file.
    let former = state.withLock { state in
      let former = state.block.take()
      state.block.beginSegment(texts)
      return former
    }
    pages?.restart()
    if ring.isOpen, !write(former, atMilliseconds: now) { return false }
    do throws(FileProblem) { try ring.begin(atMilliseconds: now) } catch {
      fail(error, atMilliseconds: now)
      return false
    }
    blockBegan = now
    return true
  }

  private func flushIfDue(atMilliseconds now: Int64) {
    let byteCount = state.withLock { $0.block.byteCount }
    if byteCount >= Self.blockBytes || byteCount > 0 && now - blockBegan >= Self.blockMilliseconds {
      flush(atMilliseconds: now)
    }
  }

  private func flush(atMilliseconds now: Int64) {
    guard ring.isOpen else { return }
    blockBegan = now
    _ = write(state.withLock { $0.block.take() }, atMilliseconds: now)
  }

  /// - Returns: whether the block is in the file.
  private func write(_ block: (bytes: [UInt8], pollCount: Int), atMilliseconds now: Int64) -> Bool {
    guard !block.bytes.isEmpty else { return true }
    do throws(FileProblem) {
      try ring.append(block.bytes, atMilliseconds: now)
      if problem != nil { log.info("the flight recorder writes again") }
      problem = nil
      return true
    } catch {
      shown.dropped += block.pollCount
      fail(error, atMilliseconds: now)
      return false
    }
  }

  /// What follows would be read as differences from what is missing, so another segment begins after a while.
  private func fail(_ error: FileProblem, atMilliseconds now: Int64) {
    ring.abandon()
    shown.dropped += state.withLock { $0.close() }
    retryAt = now + Self.retryMilliseconds
    if problem != error.reason {
      log.error(
        "the flight recorder cannot write: nothing is recorded",
        metadata: ["folder": "\(ring.folder)", "error": "\(error.reason)"])
    }
    problem = error.reason
  }
}
