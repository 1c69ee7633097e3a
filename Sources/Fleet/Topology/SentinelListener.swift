import Logging
import NIOCore
import Redis
import Runtime

/// Listens to everything that one Sentinel publishes, for all who want to know, and connects again whenever that ends.
final class SentinelListener: Sendable {
  typealias Connected = @Sendable () async -> Void
  typealias Hear = @Sendable (Subscription.Message) async -> Void

  private struct Ears: Sendable {
    var all: [Int: (connected: Connected, hear: Hear)] = [:]
    var newestID = 0
    var inOrder: [(connected: Connected, hear: Hear)] { all.sorted { $0.key < $1.key }.map(\.value) }
  }
  private let listening = Lock(false)
  private let ears = Lock(Ears())
  private let work = Lock<Task<Void, Never>?>(nil)

  /// The channels that are listened to.
  static let pattern = "*"
  static let firstPause: Duration = .milliseconds(250)
  static let longestPause: Duration = .seconds(8)

  /// - Parameter cost: where the cost is counted with that of other parts.
  init(_ options: ConnectionOptions, timeout: TimeAmount, context: ConnectionContext, cost: NodeCost, log: Logger) {
    let (listening, ears) = (listening, ears)
    let open: SubscriptionRenewal.Open = { () async throws(RedisError) in
      try await Subscription.open(options, pattern: Self.pattern, in: context, deadline: .now() + timeout) {
        cost.note($0)
      }
    }
    let task = Task {
      var pause = Self.firstPause
      while !Task.isCancelled {
        do throws(RedisError) {
          let first = try await open()
          listening.withLock { $0 = true }
          pause = Self.firstPause
          let failure = await Self.listen(to: first, ears, renewedBy: open) { cost.noteFailure($0.errorClass) }
          listening.withLock { $0 = false }
          if !Task.isCancelled {
            log.warning(
              "the subscription to a Sentinel ended",
              metadata: ["sentinel": "\(options.address)", "error": "\(failure?.description ?? "closed")"])
          }
        } catch {
          cost.noteFailure(error.errorClass)
          log.debug("no subscription", metadata: ["sentinel": "\(options.address)", "error": "\(error)"])
        }
        try? await Task.sleep(for: pause * Double.random(in: 0.8...1.2))
        pause = min(pause * 2, Self.longestPause)
      }
    }
    work.withLock { $0 = task }
  }

  /// Hears a subscription and those that take over from it, until the last ends.
  ///
  /// - Returns: why it ended.
  private static func listen(
    to first: Subscription, _ ears: Lock<Ears>, renewedBy open: @escaping SubscriptionRenewal.Open,
    failed: @escaping @Sendable (RedisError) -> Void
  ) async -> RedisError? {
    var (subscription, handover) = (first, Handover())
    while true {
      for ear in ears.withLock(\.inOrder) { await ear.connected() }
      let renewal = SubscriptionRenewal(of: subscription, open: open, failed: failed)
      for await message in subscription.messages where handover.isNews(message) {
        renewal.note(message)
        for ear in ears.withLock(\.inOrder) { await ear.hear(message) }
      }
      subscription.close()
      guard let next = renewal.end() else { return subscription.failure }
      (subscription, handover) = next
      if Task.isCancelled {
        subscription.close()
        return nil
      }
    }
  }

  /// Whether everything that the Sentinel publishes is heard now.
  var isListening: Bool { listening.withLock { $0 } }

  /// - Parameters:
  ///   - connected: called after each subscription, and now where there is one; what was published before was missed.
  ///   - hear: called with each message, one at a time.
  /// - Returns: what ``remove(_:)`` takes.
  func add(connected: @escaping Connected, hear: @escaping Hear) -> Int {
    let id = ears.withLock { ears in
      ears.newestID += 1
      ears.all[ears.newestID] = (connected, hear)
      return ears.newestID
    }
    if isListening { Task { await connected() } }
    return id
  }

  func remove(_ id: Int) {
    ears.withLock { $0.all[id] = nil }
  }

  func stop() { work.withLock { $0 }?.cancel() }
}
