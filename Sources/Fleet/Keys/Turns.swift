/// Lets the tasks of one actor take turns, in the order in which they come.
///
/// An actor serves others while a task of it waits: what must be one at a time over such a wait takes a turn.
final class Turns {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Returns when it is the caller's turn. One ``pass()`` is to follow.
  nonisolated(nonsending) func take() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// Gives the turn to the task that has waited longest.
  func pass() {
    if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
  }
}
