import NIOCore
import NIOPosix
import Runtime

/// Turns names into addresses on a few threads of its own.
///
/// One name has at most one look-up under way, so that a name that never resolves holds one thread and delays no other
/// name for long. An answer is kept for ``lifetimeSeconds``; when the next look-up fails, the last addresses still serve.
public final class NameResolver: Sendable {
  public static let lifetimeSeconds: Int64 = 30
  /// The most addresses of one name that count.
  public static let addressLimit = 64

  private struct Entry {
    var addresses: [String] = []
    var expires = NIODeadline.uptimeNanoseconds(0)
    var lookup: Task<[String], Never>?
  }
  private let entries = Lock([String: Entry]())
  private let pool: NIOThreadPool

  public init(threadCount: Int = 4) {
    pool = NIOThreadPool(numberOfThreads: threadCount)
    pool.start()
  }

  /// Its threads end; a look-up that still waits for the system then answers nobody.
  deinit { pool.shutdownGracefully { _ in } }

  /// The name's addresses in literal form; empty when none are known. A literal address is its own.
  public func addresses(of name: String) async -> [String] {
    if (try? SocketAddress(ipAddress: name, port: 0)) != nil { return [name] }
    enum Step {
      case known([String])
      case wait(Task<[String], Never>)
    }
    let step = entries.withLock { entries -> Step in
      var entry = entries[name] ?? Entry()
      if !entry.addresses.isEmpty, entry.expires > .now() { return .known(entry.addresses) }
      let lookup = entry.lookup ?? Task { [pool] in (try? await pool.runIfActive { lookUpAddresses(name) }) ?? [] }
      entry.lookup = lookup
      entries[name] = entry
      return .wait(lookup)
    }
    switch step {
    case .known(let addresses): return addresses
    case .wait(let lookup):
      let found = Array(await lookup.value.prefix(Self.addressLimit))
      return entries.withLock { entries in
        let addresses = found.isEmpty ? entries[name]?.addresses ?? [] : found
        let lifetime: Int64 = found.isEmpty ? 0 : Self.lifetimeSeconds
        entries[name] = Entry(addresses: addresses, expires: .now() + .seconds(lifetime))
        return addresses
      }
    }
  }
}
