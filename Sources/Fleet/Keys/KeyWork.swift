import Logging
import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime

/// Everything that is done with keys: looking up single ones, scanning for patterns, counting, grouping, streams, scripts.
///
/// It runs in the background on connections of its own and within a share of time, and never holds up a scrape: that
/// reads ``samples``, which hold what the newest whole pass found and how old it is. Look-ups by name are repeated every
/// interval, also while a walk over a large keyspace is under way.
public actor KeyWork {
  /// Every family that key work may export.
  public static let families = KeyFamilies.all + StreamFamilies.all + KeyWorkCost.all

  /// What stands on the page when there is no key work: that its duration is 0.
  public static let idleSamples: Samples = {
    var sink = SampleSink()
    sink.add(KeyFamilies.groupDuration, 0)
    return sink.finish()
  }()

  let options: KeyWorkOptions
  let patterns: [LuaPattern]
  let link: KeyLink
  let cost: KeyWorkCost
  let log: Logger
  let usesTLS: Bool
  private let context: ConnectionContext
  private let publishSamples: @Sendable (Samples) -> Void
  private nonisolated let box: Lock<Samples>

  // What the newest look-ups and the newest whole walk found.
  var lookupSamples = Samples.none
  var walkSamples = Samples.none
  var lookupsEnded: NIODeadline?
  var answeredAt = NIODeadline.now()
  var routes = KeyRoutes.single
  var complaints: Set<String> = []

  private var task: Task<Void, Never>?
  private var hasTried = false
  private var isStopped = false
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var waiterCount = 0

  /// - Parameters:
  ///   - node: where the cost is counted with that of other parts.
  ///   - publish: is handed the samples whenever there are new ones.
  /// - Throws: ``KeyWorkError`` for a key group pattern that is no Lua pattern.
  public init(
    options: KeyWorkOptions, connection: ConnectionOptions, context: ConnectionContext, log: Logger,
    node: NodeCost = NodeCost(), publish: @escaping @Sendable (Samples) -> Void = { _ in }
  ) throws {
    var patterns: [LuaPattern] = []
    for text in options.checkKeyGroups {
      do throws(LuaPatternError) { patterns.append(try LuaPattern(text)) } catch {
        throw KeyWorkError(description: "check-key-groups: \(error)")
      }
    }
    let duty = DutyCycle(ratio: options.dutyRatio)
    self.options = options
    self.patterns = patterns
    self.log = log
    self.context = context
    usesTLS = connection.address.usesTLS
    cost = KeyWorkCost(dutyRatio: duty.ratio, node: node)
    link = KeyLink(connection, context: context, duty: duty, timeout: options.timeout, cost: cost)
    publishSamples = publish
    box = Lock(Self.idleSamples)
  }

  /// The newest results with the work's own series, at once.
  public nonisolated var samples: Samples { box.withLock { $0 } }

  /// Begins the background work. ``stop()`` must end it.
  public func start() {
    guard task == nil, !isStopped, !options.isIdle else { return }
    task = Task(priority: .utility) { await run() }
  }

  /// Ends the work at once, whatever is under way.
  public func stop() async {
    isStopped = true
    task?.cancel()
    await link.stop()
    release { _ in true }
  }

  /// Waits until the first pass has ended, well or not, or until `deadline`.
  public func firstPass(deadline: NIODeadline) async {
    guard !hasTried, !isStopped, !options.isIdle else { return }
    waiterCount += 1
    let id = waiterCount
    let timer = context.group.next().scheduleTask(deadline: deadline) {
      _ = Task { await self.release { $0 == id } }
    }
    await withCheckedContinuation { waiters[id] = $0 }
    timer.cancel()
  }

  private func release(where isReady: (Int) -> Bool) {
    for id in waiters.keys.filter(isReady) { waiters.removeValue(forKey: id)?.resume() }
  }

  // MARK: The loop

  private func run() async {
    var failures = 0
    while !Task.isCancelled {
      let started = NIODeadline.now()
      do throws(RedisError) {
        try await lookUp()
        if options.hasWalk { try await walk() }
        cost.notePass(
          seconds: Double((NIODeadline.now() - started).nanoseconds) / 1e9, endedAt: wallClockSeconds())
        failures = 0
        if complaints.remove("pass") != nil { log.info("key work goes on again") }
      } catch {
        if Task.isCancelled { return }
        failures += 1
        cost.errorCount.add(1, error.errorClass.rawValue)
        complain("pass", "key work failed and is tried again later", "\(error)")
      }
      dropStale()
      publish()
      hasTried = true
      release { _ in true }
      let rest = restSeconds(after: failures, started)
      if rest > KeyWorkLimits.idleSeconds { await link.close() }
      try? await Task.sleep(for: .seconds(rest))
    }
  }

  /// What is left of the interval; after failures the interval, doubled with each up to five minutes. Give or take a tenth.
  private func restSeconds(after failures: Int, _ started: NIODeadline) -> Double {
    let interval = max(0.01, options.intervalSeconds)
    let rest =
      failures == 0
      ? max(0.01, interval - Double((NIODeadline.now() - started).nanoseconds) / 1e9)
      : min(max(300, interval), interval * Double(1 << min(failures - 1, 16)))
    return rest * Double.random(in: 0.9...1.1)
  }

  private func dropStale() {
    let age = Double((NIODeadline.now() - answeredAt).nanoseconds) / 1e9
    guard age > options.staleSeconds else { return }
    lookupSamples = .none
    walkSamples = .none
  }

  /// Puts the newest results where scrapes find them.
  func publish() {
    var sink = SampleSink()
    cost.collect(into: &sink)
    let samples = Samples(merging: [lookupSamples, walkSamples, sink.finish()])
    box.withLock { $0 = samples }
    publishSamples(samples)
  }

  /// Logs each kind of complaint once until it is over.
  func complain(_ kind: String, _ message: Logger.Message, _ reason: String) {
    guard complaints.insert(kind).inserted else { return }
    log.warning(message, metadata: ["reason": "\(reason)"])
  }

  /// Finishes a sink, and says once when it was full.
  func finish(_ sink: SampleSink) -> Samples {
    cost.droppedCount.add(Double(sink.overflowCount + sink.duplicateCount))
    if sink.overflowCount > 0 {
      complain("limit", "key work found more series than it may export", "the limit is \(sink.limit)")
    }
    return sink.finish()
  }
}

/// Why key work cannot be set up; names the option and what is wrong with it.
public struct KeyWorkError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
}
