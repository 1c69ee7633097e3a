import NIOCore
import NIOPosix
import Runtime

/// Turns names into addresses on a few threads of its own.
///
/// One name has at most one look-up under way, so that a name that never resolves holds one thread and delays no other
/// name for long. An answer is kept for ``lifetimeSeconds``; when the next look-up fails, the last address still serves.
/// A literal address needs no look-up.
public final class Resolver: Sendable {
  public static let threadCount = 8
  public static let lifetimeSeconds: Int64 = 30

  private struct Entry {
    var address: SocketAddress?
    var expires = NIODeadline.uptimeNanoseconds(0)
    var lookup: Task<SocketAddress, any Error>?
  }
  private struct Key: Hashable {
    let host: String
    let port: Int
  }
  private let entries = Lock([Key: Entry]())
  private let pool: NIOThreadPool

  public init() {
    pool = NIOThreadPool(numberOfThreads: Self.threadCount)
    pool.start()
  }

  /// - Throws: ``RedisError`` of class `dns` or `connect`.
  /// - Returns: the address, at the latest when the look-up ends; the caller holds the deadline.
  public func resolve(_ endpoint: Endpoint) async throws(RedisError) -> SocketAddress {
    switch endpoint {
    case .unix(let path):
      do { return try SocketAddress(unixDomainSocketPath: path) } catch {
        throw RedisError(.connect, "\(path) is too long for a unix socket path")
      }
    case .tcp(let host, let port):
      if let literal = try? SocketAddress(ipAddress: host, port: port) { return literal }
      return try await lookUp(Key(host: host, port: port))
    }
  }

  private func lookUp(_ key: Key) async throws(RedisError) -> SocketAddress {
    enum Step {
      case known(SocketAddress)
      case wait(Task<SocketAddress, any Error>, SocketAddress?)
    }
    let step = entries.withLock { entries -> Step in
      var entry = entries[key] ?? Entry()
      if let address = entry.address, entry.expires > .now() { return .known(address) }
      let lookup =
        entry.lookup
        ?? Task { [pool] in
          try await pool.runIfActive {
            try SocketAddress.makeAddressResolvingHost(key.host, port: key.port)
          }
        }
      entry.lookup = lookup
      entries[key] = entry
      return .wait(lookup, entry.address)
    }
    switch step {
    case .known(let address): return address
    case .wait(let lookup, let previous):
      do {
        let address = try await lookup.value
        entries.withLock {
          $0[key] = Entry(address: address, expires: .now() + .seconds(Self.lifetimeSeconds))
        }
        return address
      } catch {
        entries.withLock { $0[key]?.lookup = nil }
        if let previous { return previous }
        throw RedisError(.dns, "the name \(printable(Array(key.host.utf8)[...])) does not resolve")
      }
    }
  }
}
