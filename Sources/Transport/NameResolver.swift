import NIOCore
import NIOPosix
import Runtime

/// Turns names into addresses on a few threads of its own.
///
/// One name has at most one look-up under way. A name whose last look-up took long may use half of the threads only, so that
/// names that hang leave the others theirs. An answer is kept for ``lifetimeSeconds``; after that the name is looked up, and
/// where that fails or takes longer than ``patience``, the last addresses still serve.
public final class NameResolver: Sendable {
  public static let lifetimeSeconds: Int64 = 30
  /// The most addresses of one name that count.
  public static let addressLimit = 64
  /// How long a name with known addresses waits for newer ones.
  static let patience = TimeAmount.milliseconds(500)

  /// What is known of a name.
  public enum Answer: Sendable, Equatable {
    /// In literal form, in the system's order of preference, at least one.
    case addresses([String])
    case unknown
    /// It was not looked up, since too many other names wait.
    case crowded
  }

  private struct State {
    var cache: NameCache
    var waiting: [String: [UInt64: CheckedContinuation<Answer, Never>]] = [:]
    var nextID: UInt64 = 0
  }
  private let state: Lock<State>
  private let pool: NIOThreadPool
  private let lookUp: @Sendable (String) -> [String]

  /// - Parameters:
  ///   - waitingLimit: the most names that wait for a thread; further ones are not looked up.
  ///   - nameLimit: the most names that are remembered; those go first that nobody asked for longest.
  public convenience init(threadCount: Int = 4, waitingLimit: Int = 16_384, nameLimit: Int = 16_384) {
    self.init(
      threadCount: threadCount, waitingLimit: waitingLimit, nameLimit: nameLimit, lookUp: { lookUpAddresses($0) })
  }

  /// - Parameter lookUp: blocks; gives the addresses of a name.
  init(
    threadCount: Int, waitingLimit: Int, nameLimit: Int, lifetime: TimeAmount = .seconds(lifetimeSeconds),
    lookUp: @escaping @Sendable (_ name: String) -> [String]
  ) {
    let cache = NameCache(
      threadCount: threadCount, waitingLimit: waitingLimit, nameLimit: nameLimit, lifetime: lifetime)
    state = Lock(State(cache: cache))
    self.lookUp = lookUp
    pool = NIOThreadPool(numberOfThreads: threadCount)
    pool.start()
  }

  /// Its threads end; a look-up that still waits for the system then answers nobody.
  deinit { pool.shutdownGracefully { _ in } }

  /// The name's addresses in literal form; empty when none are known. A literal address is its own.
  public func addresses(of name: String) async -> [String] {
    if case .addresses(let addresses) = await answer(for: name) { addresses } else { [] }
  }

  /// What is known of a name, at the latest when its look-up ends or is given up. A literal address is its own.
  public func answer(for name: String) async -> Answer {
    if (try? SocketAddress(ipAddress: name, port: 0)) != nil { return .addresses([name]) }
    return await withCheckedContinuation { continuation in
      let (answer, id) = state.withLock { state -> (Answer?, UInt64?) in
        let step = state.cache.ask(name, now: .now())
        if case .known(let answer) = step { return (answer, nil) }
        state.nextID += 1
        state.waiting[name, default: [:]][state.nextID] = continuation
        guard case .wait(let addresses) = step, !addresses.isEmpty else { return (nil, nil) }
        return (.addresses(addresses), state.nextID)
      }
      if let answer, let id {
        Task {
          try? await Task.sleep(for: .nanoseconds(Self.patience.nanoseconds))
          self.state.withLock { $0.waiting[name]?.removeValue(forKey: id) }?.resume(returning: answer)
        }
      } else if let answer {
        continuation.resume(returning: answer)
      }
      work()
    }
  }

  /// Starts what may be started.
  private func work() {
    while let name = state.withLock({ $0.cache.next(now: .now()) }) {
      let began = NIODeadline.now()
      pool.submit { [weak self, lookUp] item in
        let found = item == .active ? Array(lookUp(name).prefix(Self.addressLimit)) : []
        self?.finish(name, found, began: began)
      }
    }
    // Those that waited too long for a thread.
    let dropped = state.withLock { state in
      state.cache.takeDropped().flatMap { name in
        (state.waiting.removeValue(forKey: name) ?? [:]).values.map { ($0, state.cache.lastAnswer(for: name)) }
      }
    }
    for (continuation, last) in dropped { continuation.resume(returning: last ?? .crowded) }
  }

  private func finish(_ name: String, _ found: [String], began: NIODeadline) {
    let (answer, continuations) = state.withLock { state in
      state.cache.finish(name, found, began: began, now: .now())
      return (state.cache.lastAnswer(for: name) ?? .unknown, state.waiting.removeValue(forKey: name) ?? [:])
    }
    for continuation in continuations.values { continuation.resume(returning: answer) }
    work()
  }
}
