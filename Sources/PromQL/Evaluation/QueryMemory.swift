import Runtime

/// The memory that all queries of one kind may hold at a time, so that many small ones take no more than one large one may.
public final class QueryMemory: Sendable {
  /// Of all queries together.
  public let limitBytes: Int
  /// Of one query.
  public let queryLimitBytes: Int
  private let used = Lock(0)

  public init(limitBytes: Int = 192 << 20, queryLimitBytes: Int = 128 << 20) {
    (self.limitBytes, self.queryLimitBytes) = (limitBytes, queryLimitBytes)
  }

  /// What is held now.
  public var usedBytes: Int { used.withLock { $0 } }

  fileprivate func take(_ bytes: Int) -> Bool {
    used.withLock { used in
      guard bytes <= limitBytes - used else { return false }
      used += bytes
      return true
    }
  }

  fileprivate func give(_ bytes: Int) { used.withLock { $0 -= bytes } }
}

/// What one query holds of it, from its first sample to the last byte of its answer; given back when it is let go.
public final class QueryReservation: Sendable {
  /// It grows by so much, so that the memory of all is asked for seldom.
  static let blockBytes = 1 << 20
  private struct State {
    var reserved = 0
    var peak = 0
  }
  private let memory: QueryMemory
  private let state = Lock(State())

  public init(_ memory: QueryMemory) { self.memory = memory }

  deinit { memory.give(reservedBytes) }

  public var reservedBytes: Int { state.withLock { $0.reserved } }
  /// The most that was held at a time.
  public var peakBytes: Int { state.withLock { $0.peak } }

  /// Holds so many bytes from now on, instead of what was held.
  ///
  /// - Returns: how many it may hold without asking again.
  /// - Throws: ``EvaluationError`` when that is too much for one query, or when the others hold too much.
  @discardableResult
  public func hold(_ bytes: Int) throws(EvaluationError) -> Int {
    guard bytes <= memory.queryLimitBytes else {
      throw EvaluationError(
        "the query holds more than \(memory.queryLimitBytes >> 20) MiB at a time; "
          + "narrow its selectors, range or number of steps")
    }
    return try state.withLock { state throws(EvaluationError) in
      let wanted = (bytes + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
      if wanted > state.reserved {
        guard memory.take(wanted - state.reserved) else {
          throw EvaluationError.crowded(limitBytes: memory.limitBytes)
        }
      } else {
        memory.give(state.reserved - wanted)
      }
      state.reserved = wanted
      state.peak = max(state.peak, wanted)
      return wanted
    }
  }
}
