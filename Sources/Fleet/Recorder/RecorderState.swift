import Metrics
import Redis
import Runtime

/// What those who have something to record share with the recorder's thread, under one lock.
struct RecorderState {
  /// One thing to be recorded, in the order in which it came.
  enum Item: Sendable {
    case poll(RecordedPoll, of: RecordedNode)
    case probe(isAnswered: Bool, of: RecordedNode)
    case gone(RecordedNode)
    case page(Registry.Page, PageValues?, atMilliseconds: Int64)
    case evaluation(RecordedEvaluation)
    case judgement(RecordedJudgement)
    case surroundings(FlightRecorder.Surroundings)
    case shift(milliseconds: Int64)
  }

  struct Shown: Sendable {
    var bytes = 0
    var oldest: WallTime?
    var dropped = 0
    var isWriting = true
    var cpuSeconds = 0.0
  }

  /// What waits, before it is dropped.
  private static let itemLimit = 10_000
  private static let replyBytesLimit = 32 << 20
  private static let pageLimit = 4
  /// Bytes of the open block, which a disk that hangs lets grow, before what comes is dropped.
  private let blockBytesLimit: Int

  /// What is not coded at once waits here for the recorder's thread: pages, and everything while no file is open.
  private(set) var items: [Item] = []
  private var replyBytes = 0
  private var pageCount = 0
  private var droppedCount = 0
  var block = OpenBlock()
  /// Whether a file is open, and nothing waits that must come before the next poll.
  private(set) var isOpen = false
  var shown = Shown()
  /// What coding cost where it was done, in CPU seconds: an estimate from about every sixteenth poll.
  private(set) var codingSeconds = 0.0
  private var draws: UInt64 = 1

  init(blockBytesLimit: Int = 32 << 20) { self.blockBytesLimit = blockBytesLimit }

  // MARK: What is recorded

  mutating func add(_ item: Item) {
    var (bytes, pages) = (0, 0)
    switch item {
    case .poll(let poll, _): bytes = poll.byteCount
    case .page: pages = 1
    default: break
    }
    guard items.count < Self.itemLimit, replyBytes + bytes <= Self.replyBytesLimit, pageCount + pages <= Self.pageLimit
    else { return drop(item) }
    items.append(item)
    replyBytes += bytes
    pageCount += pages
    if case .surroundings = item { isOpen = false }
  }

  /// Codes a poll here and now, while its replies are at hand; where no file is open, it waits.
  mutating func code(_ poll: RecordedPoll, of node: RecordedNode) {
    guard isOpen, block.byteCount < blockBytesLimit else { return code(.poll(poll, of: node)) }
    // Two looks at the clock of the thread cost a tenth of what they measure. Chance tells which polls are measured:
    // counting to 16 would find the same servers in each turn.
    draws = draws &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    guard draws >> 60 == 0 else { return block.add(poll, of: node) }
    let began = threadSeconds()
    block.add(poll, of: node)
    codingSeconds += 16 * (threadSeconds() - began)
  }

  /// The same of any item of a server or a workload.
  mutating func code(_ item: Item) {
    guard isOpen else { return add(item) }
    guard block.byteCount < blockBytesLimit else { return drop(item) }
    append(item)
  }

  /// What is told next of its server is the difference from what was told last, so nothing else is missing.
  private mutating func drop(_ item: Item) {
    droppedCount += 1
    // A judgement is told when it comes again.
    if case .judgement = item { return }
    know(item)
  }

  /// Codes an item of a server or a workload into the open block.
  mutating func append(_ item: Item) {
    switch item {
    case .poll(let poll, let node): block.add(poll, of: node)
    case .probe(let isAnswered, let node): block.add(probeAnswered: isAnswered, of: node)
    case .gone(let node): block.add(gone: node)
    case .judgement(let judgement): block.add(judgement)
    case .page, .evaluation, .surroundings, .shift: break
    }
  }

  /// What the segments that follow are to begin with, of an item that is not recorded.
  mutating func know(_ item: Item) {
    switch item {
    case .probe(let isAnswered, let node): block.know(probeAnswered: isAnswered, of: node)
    case .gone(let node): block.know(gone: node)
    case .judgement(let judgement): block.know(judgement)
    case .poll, .page, .evaluation, .surroundings, .shift: break
    }
  }

  // MARK: For the recorder's thread

  mutating func takeItems() -> (items: [Item], droppedCount: Int) {
    defer { (items, replyBytes, pageCount, droppedCount) = ([], 0, 0, 0) }
    return (items, droppedCount)
  }

  /// From here on polls are coded at once.
  ///
  /// - Returns: false where something waits.
  mutating func open() -> Bool {
    if items.isEmpty { isOpen = true }
    return items.isEmpty
  }

  /// No file can be written to: what was coded is lost.
  ///
  /// - Returns: how many polls.
  mutating func close() -> Int {
    isOpen = false
    return block.take().pollCount
  }
}

extension RecordedPoll {
  /// About what its replies take in memory.
  fileprivate var byteCount: Int { replies?.replies.first?.source.bytes.count ?? 0 }
}
