import Logging
import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime

/// Work on the keys of the one server that flags name: single keys, patterns, counts, groups, streams, scripts.
///
/// It runs in the background on connections of its own and within a share of time, and never holds up a scrape: that
/// reads ``samples``, which hold what the newest whole pass found and how old it is. Look-ups by name are repeated every
/// interval, also while a walk over a large keyspace is under way.
public final class KeyWork: Sendable {
  /// Every family that key work may export.
  public static let families = KeyFamilies.all + StreamFamilies.all + SearchIndexReport.families + KeyWorkCost.all

  /// What stands on the page when there is no key work: that its duration is 0.
  public static let idleSamples: Samples = {
    var sink = SampleSink()
    sink.add(KeyFamilies.groupDuration, 0)
    return sink.finish()
  }()

  fileprivate struct State {
    var results = KeyResults()
    var byName = Samples.none
    var walk = Samples.none
    /// With what the work cost.
    var all = KeyWork.idleSamples
    var isFull = false
  }

  private let isIdle: Bool
  private let place: KeyPlace
  private let scan: KeyScan
  private let state: Lock<State>
  private let context: ConnectionContext

  /// - Parameters:
  ///   - node: where the cost is counted with that of other parts.
  ///   - publish: is handed the samples whenever there are new ones.
  /// - Throws: ``KeyWorkError`` for a key group pattern that is no Lua pattern.
  public init(
    options: KeyWorkOptions, connection: ConnectionOptions, context: ConnectionContext, log: Logger,
    node: NodeCost = NodeCost(), publish: @escaping @Sendable (Samples) -> Void = { _ in }
  ) throws {
    let watches = try KeyWatchCatalogue.ofFlags(options)
    isIdle = options.isIdle
    self.context = context
    place = KeyPlace(
      connection, context: context, dutyRatio: options.dutyRatio, timeout: options.timeout, node: node)
    let state = Lock(State())
    self.state = state
    scan = KeyScan(watches, options.scan, log: log) { place, results in
      publish(
        state.withLock { state in
          state.show(results, place, limit: options.seriesLimit, log)
          return state.all
        })
    }
  }

  /// The newest results with the work's own series, at once.
  public var samples: Samples { state.withLock { $0.all } }

  /// Begins the background work. ``stop()`` must end it.
  public func start() async {
    if !isIdle { await scan.aim(at: place) }
  }

  /// Ends the work at once, whatever is under way.
  public func stop() async {
    await scan.stop()
    await place.link.stop()
  }

  /// Waits until the first pass has ended, well or not, or until `deadline`.
  public func firstPass(deadline: NIODeadline) async {
    if !isIdle { await scan.firstPass(deadline: deadline, on: context.group.next()) }
  }
}

extension KeyWork.State {
  /// Makes samples of what is new.
  fileprivate mutating func show(_ results: KeyResults, _ place: KeyPlace, limit: Int, _ log: Logger) {
    if results.byName?.endedAt != self.results.byName?.endedAt {
      byName = samples(of: results.byName, results.scripts, results.searchIndexes, place, limit, log)
    }
    if results.walk?.endedAt != self.results.walk?.endedAt {
      walk = samples(of: results.walk, [], [], place, limit, log)
    }
    self.results = results
    all = Samples(merging: [byName, walk, place.samples])
  }

  private mutating func samples(
    of pass: WholePass?, _ scripts: [(fileName: String, report: ScriptReport)], _ indexes: [SearchIndexReport],
    _ place: KeyPlace, _ limit: Int, _ log: Logger
  ) -> Samples {
    var all: [Samples] = []
    for run in pass?.runs ?? [] {
      all.append(finish({ run.watch.add(any: run.summary(with: []), to: &$0) }, place, limit, log))
    }
    all.append(
      finish({ sink in for (name, report) in scripts { report.add(fileName: name, into: &sink) } }, place, limit, log))
    all.append(finish({ sink in for report in indexes { report.add(into: &sink) } }, place, limit, log))
    return Samples(merging: all)
  }

  /// Counts what is too much, and says so once.
  private mutating func finish(
    _ fill: (inout SampleSink) -> Void, _ place: KeyPlace, _ limit: Int, _ log: Logger
  ) -> Samples {
    var sink = SampleSink(limit: limit)
    fill(&sink)
    place.cost.droppedCount.add(Double(sink.overflowCount + sink.duplicateCount))
    if sink.overflowCount > 0, !isFull {
      isFull = true
      log.warning(
        "key work found more series than it may export", metadata: ["reason": "the limit is \(sink.limit)"])
    }
    return sink.finish()
  }
}

/// Why key work cannot be set up; names the option and what is wrong with it.
public struct KeyWorkError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String
}
