import NIOCore
import Redis
import Runtime

/// What is published while one subscription takes over from another, and is heard by both. No I/O.
struct Handover: Sendable {
  /// What arrives at the second so much later than at the first was published again.
  static let seconds = 10.0
  private var heard: [Subscription.Message] = []

  /// Takes note of what the first has heard since the second was begun.
  mutating func note(_ message: Subscription.Message) { heard.append(message) }

  /// Whether what the second hears was not heard before. Both hear the same in the same order.
  mutating func isNews(_ message: Subscription.Message) -> Bool {
    let place = heard.firstIndex { $0.event == message.event && abs(message.time - $0.time) <= Self.seconds }
    if let place { heard.removeSubrange(...place) } else { heard = [] }
    return place == nil
  }
}

/// Opens another subscription once it is time for that, and closes the first when the second has heard with it for a while:
/// nothing that is published is missed.
final class SubscriptionRenewal: Sendable {
  typealias Open = @Sendable () async throws(RedisError) -> Subscription

  private struct State {
    /// What both may have heard; nil while no second one is begun.
    var handover: Handover?
    var successor: Subscription?
    var isOver = false
  }
  private let state: Lock<State>
  private let work: Task<Void, Never>

  /// - Parameter failed: is handed why a second one could not be had; it is tried again.
  init(of first: Subscription, open: @escaping Open, failed: @escaping @Sendable (RedisError) -> Void) {
    let state = Lock(State())
    self.state = state
    work = Task {
      guard let due = first.renewalDue else { return }
      // Those of many workloads do not come at once.
      let seconds = Double((due - .now()).nanoseconds) / 1e9 * Double.random(in: 1...1.1)
      try? await Task.sleep(for: .seconds(max(0, seconds)))
      while !Task.isCancelled {
        state.withLock { $0.handover = $0.handover ?? Handover() }
        do throws(RedisError) {
          let second = try await open()
          let isWanted = state.withLock { state in
            if !state.isOver { state.successor = second }
            return !state.isOver
          }
          guard isWanted else { return second.close() }
          // By then the first has heard, or is known to be dead, whatever was published before the second heard.
          try? await Task.sleep(for: .nanoseconds(Subscription.keepAliveInterval.nanoseconds))
          return first.close()
        } catch {
          failed(error)
          state.withLock { $0.handover = nil }
          try? await Task.sleep(for: SentinelListener.longestPause)
        }
      }
    }
  }

  /// Takes note of what the first has heard.
  func note(_ message: Subscription.Message) { state.withLock { $0.handover?.note(message) } }

  /// The first has ended.
  ///
  /// - Returns: the second with what it may have heard with the first; nil where there is none.
  func end() -> (subscription: Subscription, handover: Handover)? {
    work.cancel()
    return state.withLock { state in
      state.isOver = true
      return state.successor.map { ($0, state.handover ?? Handover()) }
    }
  }
}
