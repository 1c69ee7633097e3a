import NIOCore
import Redis
import Runtime

/// What watching one server has cost it, whichever part of the daemon asked: polls, probes, work on keys.
public final class NodeCost: Sendable {
  struct Totals: Sendable {
    var commands = 0.0
    /// Commands that the server counts as a keyspace hit or miss.
    var lookups = 0.0
    var sentBytes = 0.0
    var receivedBytes = 0.0
    var waitedSeconds = 0.0
    var connections = 0.0
    /// Attempts to connect that failed; that of `maxclients` is there from the start.
    var failures: [RedisError.Class: Double] = [.maxclients: 0]
  }
  private let state = Lock(Totals())

  public init() {}

  var totals: Totals { state.withLock { $0 } }

  func note(_ exchange: Exchange, of batch: CommandBatch, lookupCount: Int = 0) {
    state.withLock { totals in
      totals.commands += Double(batch.commands.count)
      totals.lookups += Double(lookupCount)
      totals.sentBytes += Double(batch.encoded.count)
      totals.receivedBytes += Double(exchange.receivedBytes)
      totals.waitedSeconds += Double((exchange.ended - exchange.sent).nanoseconds) / 1e9
    }
  }

  func noteConnect(_ connection: Connection) {
    state.withLock { totals in
      totals.connections += 1
      totals.commands += Double(connection.loginCommandCount)
    }
  }

  func note(commandCount: Int, lookupCount: Int, waitedSeconds: Double) {
    state.withLock { totals in
      totals.commands += Double(commandCount)
      totals.lookups += Double(lookupCount)
      totals.waitedSeconds += waitedSeconds
    }
  }

  /// - Parameter countsCommands: whether what is sent is one command each time.
  func note(_ traffic: Subscription.Traffic, countsCommands: Bool = true) {
    state.withLock { totals in
      switch traffic {
      case .opened(let loginCommandCount):
        totals.connections += 1
        totals.commands += Double(loginCommandCount)
      case .sent(let byteCount):
        if countsCommands { totals.commands += 1 }
        totals.sentBytes += Double(byteCount)
      case .received(let byteCount): totals.receivedBytes += Double(byteCount)
      }
    }
  }

  func noteFailure(_ errorClass: RedisError.Class) {
    state.withLock { $0.failures[errorClass, default: 0] += 1 }
  }
}
