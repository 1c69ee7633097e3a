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
  private let memory: QueryMemory
  private let reserved = Lock(0)

  public init(_ memory: QueryMemory) { self.memory = memory }

  deinit { memory.give(reserved.withLock { $0 }) }

  public var reservedBytes: Int { reserved.withLock { $0 } }

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
    return try reserved.withLock { reserved throws(EvaluationError) in
      let wanted = (bytes + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes
      if wanted > reserved {
        guard memory.take(wanted - reserved) else {
          throw EvaluationError.crowded(limitBytes: memory.limitBytes)
        }
      } else {
        memory.give(reserved - wanted)
      }
      reserved = wanted
      return wanted
    }
  }
}
