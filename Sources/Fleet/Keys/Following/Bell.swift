import NIOCore
import Runtime

/// Wakes the one task that waits for it. A ring that nobody waits for wakes the next wait at once.
final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state = Lock(State())

  func ring() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      defer { state.waiter = nil }
      state.isRung = state.waiter == nil
      return state.waiter
    }
    waiter?.resume()
  }

  /// Waits until somebody rings, at most so long.
  func wait(seconds: Double, on loop: any EventLoop) async {
    let nanoseconds = Int64(clamping: min(max(0, seconds), 3600) * 1e9)
    let timer = loop.scheduleTask(in: .nanoseconds(nanoseconds)) { self.ring() }
    await withCheckedContinuation { continuation in
      let isRung = state.withLock { state -> Bool in
        if !state.isRung { state.waiter = continuation }
        defer { state.isRung = false }
        return state.isRung
      }
      if isRung { continuation.resume() }
    }
    timer.cancel()
  }
}
