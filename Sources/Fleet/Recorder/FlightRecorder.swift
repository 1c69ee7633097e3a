import Logging
import Metrics
import Redis
import Runtime

/// Keeps what decided on findings and alerts in a ring of files: redacted replies of polls, what rules read, and what
/// checks said.
///
/// Polls are redacted and coded where they were made, while their replies are in the processor's cache. One thread takes
/// what was coded, deflates and writes it, and does the same to pages and evaluations. Nobody else waits for a file: while
/// the thread or the disk is too slow, what comes is dropped and counted.
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

  typealias Item = RecorderState.Item

  /// Between two looks at what waits.
  private static let pause: Duration = .milliseconds(250)

  private let state = Lock(RecorderState())
  private let work: RecorderWork
  private let task = Lock<Task<Void, Never>?>(nil)

  public init(_ options: Options, log: Logger) {
    work = RecorderWork(options, sharing: state, log: log)
  }

  public func start() {
    task.withLock { task in
      guard task == nil else { return }
      task = Task(executorPreference: WorkExecutor.recorder) { [self] in
        await work.open()
        while !Task.isCancelled {
          try? await Task.sleep(for: Self.pause)
          await work.write()
        }
        await work.write()
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

  // MARK: What is recorded

  private func add(_ item: Item) { state.withLock { $0.add(item) } }
  private func code(_ item: Item) { state.withLock { $0.code(item) } }

  func note(_ poll: RecordedPoll, of node: RecordedNode) { state.withLock { $0.code(poll, of: node) } }
  func note(probeAnswered isAnswered: Bool, of node: RecordedNode) { code(.probe(isAnswered: isAnswered, of: node)) }
  func note(gone node: RecordedNode) { code(.gone(node)) }
  func note(_ judgement: RecordedJudgement) { code(.judgement(judgement)) }

  /// A page as it goes to the rules.
  ///
  /// - Parameter values: what rules read of it.
  public func note(_ page: Registry.Page, _ values: PageValues?, atMilliseconds time: Int64) {
    add(.page(page, values, atMilliseconds: time))
  }

  public func note(_ evaluation: RecordedEvaluation) { add(.evaluation(evaluation)) }

  /// The clock of evaluations was set.
  public func note(shiftMilliseconds: Int64) { add(.shift(milliseconds: shiftMilliseconds)) }

  /// Takes over another configuration: a new segment begins with it.
  public func apply(_ surroundings: Surroundings) { add(.surroundings(surroundings)) }

  // MARK: How it is doing

  public func samples() -> Samples {
    let (shown, codingSeconds) = state.withLock { ($0.shown, $0.codingSeconds) }
    var sink = SampleSink()
    sink.add(RecorderFamilies.bytes, Double(shown.bytes))
    if let oldest = shown.oldest { sink.add(RecorderFamilies.oldest, oldest.seconds) }
    sink.add(RecorderFamilies.dropped, Double(shown.dropped))
    sink.add(RecorderFamilies.writing, shown.isWriting ? 1 : 0)
    sink.add(RecorderFamilies.cpu, shown.cpuSeconds + codingSeconds)
    return sink.finish()
  }
}
