import Logging
import Metrics
import Redis
import Runtime

/// Keeps what decided on findings and alerts in a ring of files: redacted replies of polls, what rules read, and what
/// checks said.
///
/// Parts that have something to record hand it over and go on. One thread redacts, codes, deflates and writes; while it or
/// the disk is too slow, what comes is dropped and counted.
public final class FlightRecorder: Sendable {
  public struct Options: Sendable {
    /// The folder of the files.
    public var folder: String
    /// How long records are kept.
    public var keepSeconds: Double
    /// Bytes that all files may have together.
    public var sizeBytes: Int

    public init(folder: String, keepSeconds: Double, sizeBytes: Int) {
      self.folder = folder
      self.keepSeconds = keepSeconds
      self.sizeBytes = sizeBytes
    }
  }

  /// A text that every segment begins with, by a name such as `rules`.
  public struct Text: Sendable, Equatable {
    public let name: String
    public let bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// What the rest of the program says of itself.
  public struct Surroundings: Sendable {
    /// The configuration and the rules, and what is known of alerts now: read whenever a segment begins.
    public var texts: @Sendable (RecordedLabels) -> [Text]
    /// The metrics that rules read, by their full names.
    public var families: FamilySelection
    public var namespace: String
    public var areEdgesFloats: Bool
    /// Names of labels that the configuration gives to series, and values that stand in it.
    public var labelNames: Set<String>
    public var values: Set<String>

    public init(
      texts: @escaping @Sendable (RecordedLabels) -> [Text], families: FamilySelection, namespace: String,
      areEdgesFloats: Bool,
      labelNames: Set<String>, values: Set<String>
    ) {
      self.texts = texts
      self.families = families
      self.namespace = namespace
      self.areEdgesFloats = areEdgesFloats
      self.labelNames = labelNames
      self.values = values
    }
  }

  /// One thing to be recorded.
  enum Item: Sendable {
    case poll(RecordedPoll, of: RecordedNode)
    case probe(isAnswered: Bool, of: RecordedNode)
    case gone(RecordedNode)
    case page(Registry.Page, atMilliseconds: Int64)
    case evaluation(RecordedEvaluation)
    case judgement(RecordedJudgement)
    case surroundings(Surroundings)
    case shift(milliseconds: Int64)
  }

  /// What waits, before it is dropped.
  private static let itemLimit = 10_000
  private static let replyBytesLimit = 32 << 20
  private static let pageLimit = 4
  /// Between two looks at what waits.
  private static let pause: Duration = .milliseconds(250)

  private struct Waiting {
    var items: [Item] = []
    var replyBytes = 0
    var pageCount = 0
    var droppedCount = 0
    var shown = Shown()
  }
  struct Shown: Sendable {
    var bytes = 0
    var oldest: WallTime?
    var dropped = 0
    var isWriting = true
    var cpuSeconds = 0.0
  }

  private let waiting = Lock(Waiting())
  private let work: RecorderWork
  private let task = Lock<Task<Void, Never>?>(nil)

  public init(_ options: Options, log: Logger) {
    work = RecorderWork(options, log: log)
  }

  public func start() {
    task.withLock { task in
      guard task == nil else { return }
      task = Task(executorPreference: WorkExecutor.recorder) { [self] in
        await work.open()
        while !Task.isCancelled {
          try? await Task.sleep(for: Self.pause)
          await drain()
        }
        await drain()
        await work.close()
      }
    }
  }

  /// Writes what waits and ends.
  public func stop() async {
    let task = task.withLock { $0 }
    task?.cancel()
    await task?.value
  }

  private func drain() async {
    let (items, dropped) = waiting.withLock { waiting in
      defer { (waiting.items, waiting.replyBytes, waiting.pageCount, waiting.droppedCount) = ([], 0, 0, 0) }
      return (waiting.items, waiting.droppedCount)
    }
    let shown = await work.write(items, droppedCount: dropped)
    waiting.withLock { $0.shown = shown }
  }

  // MARK: What is recorded

  private func add(_ item: Item, replyBytes: Int = 0) {
    waiting.withLock { waiting in
      guard waiting.items.count < Self.itemLimit, waiting.replyBytes + replyBytes <= Self.replyBytesLimit else {
        waiting.droppedCount += 1
        return
      }
      waiting.items.append(item)
      waiting.replyBytes += replyBytes
    }
  }

  func note(_ poll: RecordedPoll, of node: RecordedNode) { add(.poll(poll, of: node), replyBytes: poll.byteCount) }
  func note(probeAnswered isAnswered: Bool, of node: RecordedNode) { add(.probe(isAnswered: isAnswered, of: node)) }
  func note(gone node: RecordedNode) { add(.gone(node)) }
  func note(_ judgement: RecordedJudgement) { add(.judgement(judgement)) }

  /// A page as it goes to the rules.
  public func note(_ page: Registry.Page, atMilliseconds time: Int64) {
    waiting.withLock { waiting in
      guard waiting.pageCount < Self.pageLimit, waiting.items.count < Self.itemLimit else {
        waiting.droppedCount += 1
        return
      }
      waiting.pageCount += 1
      waiting.items.append(.page(page, atMilliseconds: time))
    }
  }

  public func note(_ evaluation: RecordedEvaluation) { add(.evaluation(evaluation)) }

  /// The clock of evaluations was set.
  public func note(shiftMilliseconds: Int64) { add(.shift(milliseconds: shiftMilliseconds)) }

  /// Takes over another configuration: a new segment begins with it.
  public func apply(_ surroundings: Surroundings) { add(.surroundings(surroundings)) }

  // MARK: How it is doing

  public func samples() -> Samples {
    let shown = waiting.withLock { $0.shown }
    var sink = SampleSink()
    sink.add(RecorderFamilies.bytes, Double(shown.bytes))
    if let oldest = shown.oldest { sink.add(RecorderFamilies.oldest, oldest.seconds) }
    sink.add(RecorderFamilies.dropped, Double(shown.dropped))
    sink.add(RecorderFamilies.writing, shown.isWriting ? 1 : 0)
    sink.add(RecorderFamilies.cpu, shown.cpuSeconds)
    return sink.finish()
  }
}

extension RecordedPoll {
  /// About what its replies take in memory.
  var byteCount: Int {
    replies?.replies.first?.source.bytes.count ?? 0
  }
}
