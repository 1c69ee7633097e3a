/// Lets the tasks of one actor take turns, in the order in which they come.
///
/// An actor serves others while a task of it waits: what must be one at a time over such a wait takes a turn.
final class Turns {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Parameter count: how many may have a turn at once.
  init(_ count: Int = 1) { free = count }

  /// Returns when it is the caller's turn. One ``pass()`` is to follow.
  nonisolated(nonsending) func take() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// Gives the turn to the task that has waited longest.
  func pass() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
