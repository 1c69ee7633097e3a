import NIOCore

/// Holds up those who wait for the first pass of an actor, until it has ended, well or not.
final class FirstPass {
  private var hasEnded = false
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var count = 0

  /// - Parameter expire: is told after the deadline to call ``release(_:)`` with this number.
  nonisolated(nonsending) func wait(
    until deadline: NIODeadline, on loop: any EventLoop, expire: @escaping @Sendable (Int) -> Void
  ) async {
    guard !hasEnded else { return }
    count += 1
    let id = count
    let timer = loop.scheduleTask(deadline: deadline) { expire(id) }
    await withCheckedContinuation { waiters[id] = $0 }
    timer.cancel()
  }

  func release(_ id: Int) { waiters.removeValue(forKey: id)?.resume() }

  func end() {
    hasEnded = true
    for id in Array(waiters.keys) { release(id) }
  }
}
