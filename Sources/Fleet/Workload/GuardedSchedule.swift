import Metrics
import NIOCore
import Redis
import Runtime

/// Polls a member in the background, behind a breaker: a dead one is left alone but for single tries.
final class GuardedSchedule: Sendable {
  private let interval: Duration
  /// Within which the first poll begins.
  private let spread: Duration
  private let lateness: Histogram?
  private let breaker = Lock(Breaker())
  private let timer = Lock<Scheduled<Void>?>(nil)
  private let outOfTurn = Lock(OutOfTurn())

  /// Polls out of turn: when the newest may begin, and whether one waits for that.
  private struct OutOfTurn {
    var free = Monotonic.distantPast
    var isWaiting = false
  }
  /// Between two polls out of turn, however many ask for one.
  static let outOfTurnSeconds = 1.0

  /// - Parameters:
  ///   - spread: within this time, at random, the first poll begins.
  ///   - lateness: is told how late each poll began.
  init(interval: Duration, spread: Duration = .zero, lateness: Histogram? = nil) {
    self.interval = interval
    self.spread = spread
    self.lateness = lateness
  }

  var isBreakerOpen: Bool { breaker.withLock { $0.isOpen } }

  /// Lets the next try come at once where the breaker holds it back: others say that the node is back.
  func wake() {
    guard isBreakerOpen else { return }
    breaker.withLock { $0.wake(at: .now) }
    timer.withLock { $0 }?.cancel()
  }

  /// Polls until the task is cancelled.
  ///
  /// It sleeps and wakes on the poller's event loop: the shared threads may be busy, and a thousand members would keep
  /// them changing tasks.
  func run(_ poller: isolated Poller) async {
    await poller.sleep(until: .now() + TimeAmount(spread * Double.random(in: 0..<1)))
    guard !Task.isCancelled else { return }
    await poll(poller)
    while !Task.isCancelled {
      let due = NIODeadline.now() + TimeAmount(pause)
      await poller.sleep(until: due) { timer in self.timer.withLock { $0 = timer } }
      guard !Task.isCancelled else { return }
      await poll(poller, dueAt: due)
    }
  }

  /// Polls out of turn: now, or as soon as the last such poll is a second old.
  func pollOutOfTurn(_ poller: isolated Poller) async {
    let now = Monotonic.now
    let wait = outOfTurn.withLock { state -> Double? in
      guard !state.isWaiting else { return nil }
      let wait = max(0, state.free - now)
      state.free = now + wait + Self.outOfTurnSeconds
      state.isWaiting = wait > 0
      return wait
    }
    guard let wait else { return }
    if wait > 0 {
      await poller.sleep(until: .now() + TimeAmount(.seconds(wait)))
      outOfTurn.withLock { $0.isWaiting = false }
    }
    guard !poller.isStopped else { return }
    await poll(poller)
  }

  /// Polls now, unless the breaker forbids it.
  ///
  /// - Parameter due: when the poll should have begun; nil for one out of turn.
  func poll(_ poller: isolated Poller, dueAt due: NIODeadline? = nil) async {
    guard breaker.withLock({ $0.mayTry(at: .now) }) else { return }
    let snapshot = await poller.snapshot(since: .now())
    if let due, let snapshot { lateness?.observe(max(0, Monotonic(snapshot.started) - Monotonic(due))) }
    guard let state = snapshot?.state, !Task.isCancelled else {
      return breaker.withLock { if $0.state == .probing { $0.fail(at: .now, jitter: 0.5) } }
    }
    breaker.withLock { breaker in
      if state.isUp {
        breaker.succeed()
      } else {
        breaker.fail(
          at: .now, jitter: .random(in: 0...1),
          isRefusal: state.error?.errorClass == .maxclients)
      }
    }
  }

  /// Until the next poll: the interval with a tenth of jitter, so that a thousand members do not march in step, or what
  /// the breaker asks for.
  private var pause: Duration {
    let retry = breaker.withLock { $0.retry }
    guard let retry else { return interval * Double.random(in: 0.9...1.1) }
    return .seconds(max(0, retry - Monotonic.now))
  }
}

extension Monotonic {
  /// The event loops' clock is the same.
  init(_ deadline: NIODeadline) { self.init(seconds: Double(deadline.uptimeNanoseconds) / 1e9) }
}
