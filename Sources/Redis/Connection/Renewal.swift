import NIOCore
import Runtime

/// When a kept connection is opened again: a host name, a virtual address or what stands between may lead to another server
/// by now, and only a new connection shows which. Pure: the clock is a parameter.
///
/// A connection to a literal address is kept for ever unless it is asked for otherwise, one to a unix socket always is.
public struct Renewal: Sendable {
  public static let maximumAge = TimeAmount.seconds(60)
  /// Failures in a row after which the old connection no longer stands for what others reach under the name.
  static let failureLimit = 3

  private let age: TimeAmount
  /// Nil for one that is kept for ever.
  private(set) var due: NIODeadline?
  private var failureCount = 0

  init(
    of endpoint: Endpoint, openedAt now: NIODeadline, age: TimeAmount = maximumAge, literalsMayMove: Bool = false
  ) {
    self.age = age
    due = endpoint.isNamed || (literalsMayMove && endpoint.isTCP) ? now + age : nil
  }

  func isDue(at now: NIODeadline) -> Bool { due.map { $0 <= now } ?? false }

  /// No new connection was to be had.
  ///
  /// A full server refuses it, and what is kept is the only way to see it; nor has a server moved whose name is not known
  /// for a moment. Whatever else fails is tried at the next use.
  /// - Returns: whether the old connection still serves.
  mutating func fail(_ errorClass: RedisError.Class, at now: NIODeadline) -> Bool {
    if errorClass == .maxclients || errorClass == .dns {
      (due, failureCount) = (now + age, 0)
      return true
    }
    failureCount += 1
    return failureCount < Self.failureLimit
  }
}

extension Connection {
  /// Whether its address may lead elsewhere, and it is old enough to be replaced.
  public var isAged: Bool { renewal.withLock { $0.isDue(at: .now()) } }

  /// The connection to use next: this one, or a new one where this one has become old. The new one
  /// is opened first, in half of the time that is left, so that no poll is missed where it cannot be had.
  ///
  /// - Parameter failed: is handed what a try ended with.
  /// - Throws: ``RedisError`` of the last try, when new connections have failed too often.
  public nonisolated(nonsending) func renewed(
    _ options: ConnectionOptions, on loop: (any EventLoop)?, in context: ConnectionContext, deadline: NIODeadline,
    failed: (RedisError.Class) -> Void
  ) async throws(RedisError) -> Connection {
    let now = NIODeadline.now()
    guard isAged else { return self }
    do throws(RedisError) {
      let half = TimeAmount.nanoseconds((deadline - now).nanoseconds / 2)
      let next = try await Connection.open(options, on: loop, in: context, deadline: now + half)
      try await next.prove(deadline: now + half)
      return next
    } catch {
      failed(error.errorClass)
      guard isActive, renewal.withLock({ $0.fail(error.errorClass, at: .now()) }) else { throw error }
      return self
    }
  }

  /// A full server takes a connection and refuses it afterwards. Where a login was answered, it has not.
  private nonisolated(nonsending) func prove(deadline: NIODeadline) async throws(RedisError) {
    guard loginCommandCount == 0 else { return }
    let ping: Command = ["PING"]
    let exchange = await send(CommandBatch([ping]), deadline: deadline)
    var failure = exchange.failure
    if failure == nil, exchange.replies[0].isError { failure = RedisError(reply: exchange.replies[0], to: ping) }
    // A user who may not send PING is connected all the same.
    guard let failure, failure.errorClass != .permission else { return }
    close()
    throw failure
  }
}
