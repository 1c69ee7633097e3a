import Logging
import Metrics
import Redis
import Runtime

/// What the recorder's thread does: redacts, codes and writes.
actor RecorderWork {
  private final class NodeState {
    let number: Int
    let node: RecordedNode
    var transcriber = PollTranscriber()
    var began: Int64 = 0
    var ended: Int64 = 0
    var isProbeAnswered: Bool?

    init(_ number: Int, _ node: RecordedNode) {
      self.number = number
      self.node = node
    }

    /// What comes next is told whole.
    func restart() {
      transcriber.restart()
      (began, ended) = (0, 0)
    }
  }

  private let log: Logger
  private var ring: SegmentRing
  private var nodes: [ObjectIdentifier: NodeState] = [:]
  private var nodeCount = 0
  private var outlines = OutlinePool()
  private var block = ByteWriter()
  /// The record that is being written.
  private var scratch = ByteWriter()
  private var blockBegan: Int64 = 0
  private var pages: PageWriter?
  private var surroundings: FlightRecorder.Surroundings?
  private var labels = RecordedLabels()
  private var judgements: [String: RecordedJudgement] = [:]
  private var shown = FlightRecorder.Shown()
  /// After a failure, the next try.
  private var retryAt: Int64 = .min
  private var problem: String?

  private static let blockBytes = 64 << 10
  private static let blockMilliseconds: Int64 = 5_000
  private static let retryMilliseconds: Int64 = 10_000

  init(_ options: FlightRecorder.Options, log: Logger) {
    self.log = log
    ring = SegmentRing(options.folder, keepSeconds: options.keepSeconds, sizeBytes: options.sizeBytes)
  }

  func open() {
    do throws(FileProblem) { try ring.open() } catch { fail(error, atMilliseconds: WallTime.now.epochMs) }
  }

  func close() { flush(atMilliseconds: WallTime.now.epochMs) }

  /// - Returns: how it is doing.
  func write(_ items: [FlightRecorder.Item], droppedCount: Int) -> FlightRecorder.Shown {
    let began = threadSeconds()
    let now = WallTime.now.epochMs
    shown.dropped += droppedCount
    if droppedCount > 0, ring.isOpen { record(.dropped) { $0.add(droppedCount) } }
    for item in items { write(item, atMilliseconds: now) }
    if !block.bytes.isEmpty, now - blockBegan >= Self.blockMilliseconds { flush(atMilliseconds: now) }
    shown.bytes = ring.byteCount
    shown.oldest = ring.oldestMilliseconds.map { WallTime(epochMs: $0) }
    shown.isWriting = problem == nil
    shown.cpuSeconds += threadSeconds() - began
    return shown
  }

  private func write(_ item: FlightRecorder.Item, atMilliseconds now: Int64) {
    if case .surroundings(let new) = item { return apply(new, atMilliseconds: now) }
    if case .gone(let node) = item, nodes[ObjectIdentifier(node)] == nil { return }
    guard surroundings != nil, isReady(atMilliseconds: now) else {
      forget(item)
      if problem != nil { shown.dropped += 1 }
      return
    }
    switch item {
    case .poll(let poll, let node): write(poll, of: node)
    case .probe(let isAnswered, let node):
      let state = state(of: node)
      state.isProbeAnswered = isAnswered
      writeProbe(state.number, isAnswered)
    case .gone(let node):
      let number = state(of: node).number
      record(.gone) { $0.add(number) }
      forget(item)
    case .page(let page, let time):
      pages?.write(page, labels) { bytes in record(.source) { $0.bytes += bytes.bytes } }
      record(.page) { $0.add(signed: time) }
    case .evaluation(let evaluation): record(.evaluation) { evaluation.write(to: &$0) }
    case .judgement(let judgement):
      if let known = judgements[judgement.workload], known.saysTheSame(as: judgement) { return }
      judgements[judgement.workload] = judgement
      record(.judgement) { judgement.write(to: &$0) }
    case .shift(let milliseconds): record(.shift) { $0.add(signed: milliseconds) }
    case .surroundings: break
    }
    if block.bytes.count >= Self.blockBytes { flush(atMilliseconds: now) }
  }

  private func forget(_ item: FlightRecorder.Item) {
    switch item {
    case .gone(let node): nodes[ObjectIdentifier(node)] = nil
    case .judgement(let judgement): judgements[judgement.workload] = judgement
    default: break
    }
  }

  private func apply(_ new: FlightRecorder.Surroundings, atMilliseconds now: Int64) {
    flush(atMilliseconds: now)
    ring.abandon()
    surroundings = new
    labels.configured = new.labelNames
    labels.known = new.values
    pages = PageWriter(new.families, namespace: new.namespace, areEdgesFloats: new.areEdgesFloats)
  }

  // MARK: Records

  private func record(_ kind: RecordKind, _ body: (inout ByteWriter) -> Void) {
    scratch.bytes.removeAll(keepingCapacity: true)
    body(&scratch)
    block.add(kind.rawValue)
    block.add(scratch.bytes)
  }

  private func state(of node: RecordedNode) -> NodeState {
    let id = ObjectIdentifier(node)
    if let known = nodes[id] { return known }
    nodeCount += 1
    let state = NodeState(nodeCount, node)
    nodes[id] = state
    record(.node) { node.write(state.number, to: &$0) }
    return state
  }

  private func writeProbe(_ number: Int, _ isAnswered: Bool) {
    record(.probe) { output in
      output.add(number)
      output.add(isAnswered ? 1 : 0)
    }
  }

  private func write(_ poll: RecordedPoll, of node: RecordedNode) {
    let state = state(of: node)
    let (began, ended) = (Int64(clamping: poll.began.seconds * 1000), poll.ended.epochMs)
    record(.poll) { output in
      output.add(state.number)
      output.add(signed: began - state.began)
      output.add(signed: ended - state.ended)
      output.add(Int(clamping: poll.durationSeconds * 1e6))
      output.add(TargetState.names.firstIndex(of: poll.state.name) ?? 1)
      if let replies = poll.replies {
        state.transcriber.write(replies, at: poll.began, sharing: &outlines, to: &output)
      }
    }
    (state.began, state.ended) = (began, ended)
  }

  // MARK: Files

  /// Whether there is a segment to write to; begins one where that is due.
  private func isReady(atMilliseconds now: Int64) -> Bool {
    guard ring.isDue(atMilliseconds: now) else { return true }
    guard now >= retryAt else { return false }
    flush(atMilliseconds: now)
    do throws(FileProblem) { try ring.begin(atMilliseconds: now) } catch {
      fail(error, atMilliseconds: now)
      return false
    }
    begin(atMilliseconds: now)
    return true
  }

  /// What a segment begins with, so that it can be read alone.
  private func begin(atMilliseconds now: Int64) {
    block = ByteWriter()
    blockBegan = now
    pages?.restart()
    for text in surroundings?.texts(labels) ?? [] {
      record(.text) { output in
        output.add(text.name)
        output.add(text.bytes)
      }
    }
    for state in nodes.values {
      state.restart()
      record(.node) { state.node.write(state.number, to: &$0) }
      if let isAnswered = state.isProbeAnswered { writeProbe(state.number, isAnswered) }
    }
    for (_, judgement) in judgements.sorted(by: { $0.key < $1.key }) { record(.judgement) { judgement.write(to: &$0) } }
  }

  private func flush(atMilliseconds now: Int64) {
    guard ring.isOpen, !block.bytes.isEmpty else { return }
    let bytes = block.bytes
    block = ByteWriter()
    blockBegan = now
    do throws(FileProblem) {
      try ring.append(bytes, atMilliseconds: now)
      if problem != nil { log.info("the flight recorder writes again") }
      problem = nil
    } catch {
      // What follows would be read as differences from what is missing.
      ring.abandon()
      fail(error, atMilliseconds: now)
    }
  }

  private func fail(_ error: FileProblem, atMilliseconds now: Int64) {
    retryAt = now + Self.retryMilliseconds
    if problem != error.reason {
      log.error(
        "the flight recorder cannot write: nothing is recorded",
        metadata: ["folder": "\(ring.folder)", "error": "\(error.reason)"])
    }
    problem = error.reason
  }
}
