import Logging
import Runtime

/// Hands the log lines of one workload on, at a pace that leaves room for those of others. What is left out is counted,
/// and the next line that goes through is followed by one that says how much it was.
struct LogPace: LogHandler {
  /// Lines in quick succession, and how many come back each second.
  static let burst = 200.0
  static let perSecond = 1.0

  private struct State {
    var lines = Allowance<Monotonic>(burst, perSecond: perSecond)
    var toldCount = 0
  }
  private var next: any LogHandler
  /// Shared by all copies of a logger.
  private let state = SharedState()
  private final class SharedState: Sendable { let lock = Lock(State()) }

  init(_ next: any LogHandler) { self.next = next }

  /// Lines that were left out so far.
  var omittedCount: Int { state.lock.withLock { $0.lines.refusedCount } }

  var logLevel: Logger.Level {
    get { next.logLevel }
    set { next.logLevel = newValue }
  }
  var metadata: Logger.Metadata {
    get { next.metadata }
    set { next.metadata = newValue }
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { next[metadataKey: key] }
    set { next[metadataKey: key] = newValue }
  }

  func log(event: LogEvent) {
    let (mayPass, omittedCount) = state.lock.withLock { state in
      guard state.lines.take(at: .now) else { return (false, 0) }
      defer { state.toldCount = state.lines.refusedCount }
      return (true, state.lines.refusedCount - state.toldCount)
    }
    guard mayPass else { return }
    next.log(event: event)
    guard omittedCount > 0 else { return }
    var told = event
    told.level = .warning
    told.message = "\(omittedCount) lines of the workload were left out before this one: there were too many"
    (told.metadata, told.error) = (nil, nil)
    next.log(event: told)
  }
}
