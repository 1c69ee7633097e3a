import NIOCore
import Redis
import Runtime

/// Polls a member in the background, behind a breaker: a dead one is left alone but for single tries.
final class GuardedSchedule: Sendable {
  private let interval: Duration
  private let breaker = Lock(Breaker())

  init(interval: Duration) { self.interval = interval }

  var isBreakerOpen: Bool { breaker.withLock { $0.isOpen } }

  /// Lets the next try come at once: others say that the node is back.
  func wake() {
    breaker.withLock { $0.wake(atSeconds: monotonicSeconds()) }
  }

  /// Polls until the task is cancelled. The first poll comes at once.
  func run(_ poller: Poller) async {
    while !Task.isCancelled {
      await poll(poller)
      var pause = pause
      while pause > .zero, !Task.isCancelled {
        // In steps while the breaker is open, so that waking it is heard.
        let step = isBreakerOpen ? min(pause, .milliseconds(250)) : pause
        try? await Task.sleep(for: step)
        pause = isBreakerOpen ? min(pause - step, self.pause) : pause - step
      }
    }
  }

  /// Polls now, unless the breaker forbids it.
  func poll(_ poller: Poller) async {
    guard breaker.withLock({ $0.mayTry(atSeconds: monotonicSeconds()) }) else { return }
    let snapshot = await poller.snapshot(since: .now())
    guard let state = snapshot?.state, !Task.isCancelled else {
      return breaker.withLock { if $0.state == .probing { $0.fail(atSeconds: monotonicSeconds(), jitter: 0.5) } }
    }
    breaker.withLock { breaker in
      if state.isUp {
        breaker.succeed()
      } else {
        breaker.fail(
          atSeconds: monotonicSeconds(), jitter: .random(in: 0...1),
          isRefusal: state.error?.errorClass == .maxclients)
      }
    }
  }

  /// Until the next poll: the interval with a tenth of jitter, so that a thousand members do not march in step, or what
  /// the breaker asks for.
  private var pause: Duration {
    let retry = breaker.withLock { $0.retrySeconds }
    guard let retry else { return interval * Double.random(in: 0.9...1.1) }
    return .seconds(max(0, retry - monotonicSeconds()))
  }
}

/// Seconds of the event loops' clock, which only goes forward.
func monotonicSeconds(_ moment: NIODeadline = .now()) -> Double { Double(moment.uptimeNanoseconds) / 1e9 }
