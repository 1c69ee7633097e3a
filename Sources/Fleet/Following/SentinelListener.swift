import Logging
import NIOCore
import Redis
import Runtime

/// Listens to everything that one Sentinel publishes, and connects again whenever that ends.
final class SentinelListener: Sendable {
  private let listening = Lock(false)
  private let work = Lock<Task<Void, Never>?>(nil)

  static let firstPause: Duration = .milliseconds(250)
  static let longestPause: Duration = .seconds(8)

  /// - Parameters:
  ///   - connected: called after each subscription; what was published before was missed.
  ///   - hear: called with each message, one at a time.
  init(
    _ options: ConnectionOptions, timeout: TimeAmount, context: ConnectionContext, log: Logger,
    connected: @escaping @Sendable () async -> Void, hear: @escaping @Sendable (Subscription.Message) async -> Void
  ) {
    let listening = listening
    let task = Task {
      var pause = Self.firstPause
      while !Task.isCancelled {
        do throws(RedisError) {
          let subscription = try await Subscription.open(
            options, pattern: "*", in: context, deadline: .now() + timeout)
          listening.withLock { $0 = true }
          pause = Self.firstPause
          await withTaskCancellationHandler {
            await connected()
            for await message in subscription.messages { await hear(message) }
          } onCancel: {
            subscription.close()
          }
          subscription.close()
          if listening.withLock({ isOpen in defer { isOpen = false }; return isOpen }), !Task.isCancelled {
            log.warning(
              "the subscription to a Sentinel ended",
              metadata: ["sentinel": "\(options.address)", "error": "\(subscription.failure?.description ?? "closed")"])
          }
        } catch {
          log.debug("no subscription", metadata: ["sentinel": "\(options.address)", "error": "\(error)"])
        }
        try? await Task.sleep(for: pause * Double.random(in: 0.8...1.2))
        pause = min(pause * 2, Self.longestPause)
      }
    }
    work.withLock { $0 = task }
  }

  /// Whether everything that the Sentinel publishes is heard now.
  var isListening: Bool { listening.withLock { $0 } }

  func stop() { work.withLock { $0 }?.cancel() }
}
