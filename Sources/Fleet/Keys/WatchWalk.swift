import Config
import Redis

/// One walk over a shard: sorts the names that SCAN returns and looks at the keys that matter, each once.
struct WatchWalk {
  private let watches: KeyWatches
  private let place: KeyPlace
  private(set) var findings = WatchFindings()
  /// SCAN may return a name twice. Hashes are enough to know it again and small.
  private var seen: Set<Int> = []

  /// Bytes of a counter that are read; no number of failures has more.
  private static let counterBytes = 20

  init(_ watches: KeyWatches, place: KeyPlace) {
    self.watches = watches
    self.place = place
    if watches.locks.isOn { findings.locks = .init() }
    if watches.circuits.isOn { findings.circuits = .init() }
  }

  private enum Look {
    case lock
    case circuit(service: String)
  }

  /// - Parameter isTyped: whether the server has left out keys of other types than `part` asks for.
  mutating func take(
    _ names: [[UInt8]], of part: WatchPlan.Walk, isTyped: Bool
  ) async throws(RedisError) {
    var looks: [(what: Look, command: Command)] = []
    var streams: [[UInt8]] = []
    for name in names {
      guard let interest = part.interest(in: name) else { continue }
      if interest.isStream { streams.append(name) }
      guard interest.isLock || interest.service != nil, seen.insert(Self.hash(name, part.database)).inserted
      else { continue }
      if interest.isLock, findings.locks != nil {
        findings.locks?.seenCount += 1
        if (findings.locks?.seenCount ?? 0) <= watches.locks.maxKeys {
          looks.append((.lock, KeyCommand.remainingLife(name)))
        } else {
          findings.locks?.omittedCount += 1
        }
      }
      if let service = interest.service, let circuits = findings.circuits {
        if circuits.failures.count < WatchFindings.Circuits.limit {
          looks.append((.circuit(service: service), KeyCommand.prefix(name, count: Self.counterBytes)))
        } else {
          findings.circuits?.omittedCount += 1
        }
      }
    }
    for batch in chunks(streams, KeyWorkLimits.batchKeys) {
      let types = isTyped ? nil : try await place.link.send(batch.map { KeyCommand.type($0) }, database: part.database)
      for (index, name) in batch.enumerated() where types.map({ $0[index]?.text == part.type }) ?? true {
        take(StreamName(database: part.database, bytes: name))
      }
    }
    for batch in chunks(looks, KeyWorkLimits.batchKeys) {
      let replies = try await place.link.send(batch.map(\.command), database: part.database)
      for (look, reply) in zip(batch, replies) { note(look.what, reply) }
    }
  }

  private mutating func take(_ name: StreamName) {
    guard !findings.streams.contains(name) else { return }
    if findings.streams.count < watches.streams.maxStreams {
      findings.streams.insert(name)
    } else {
      findings.omittedStreamCount += 1
    }
  }

  private mutating func note(_ look: Look, _ reply: Reply?) {
    switch look {
    case .lock:
      // -1 is no expiry, -2 a key that is gone by now. Without a PTTL nothing is known of any lock.
      guard let reply else {
        findings.locks = nil
        return
      }
      switch reply.integer {
      case .some(-1): findings.locks?.withoutTTLCount += 1
      case nil: findings.locks?.omittedCount += 1
      default: break
      }
    case .circuit(let service):
      guard let reply else {
        findings.circuits = nil
        return
      }
      guard !reply.isError, let bytes = reply.bytes else {
        findings.circuits?.omittedCount += 1
        return
      }
      if let count = parseDouble(bytes), count.isFinite { findings.circuits?.note(service, failures: count) }
    }
  }

  private static func hash(_ name: [UInt8], _ database: Int) -> Int {
    var hasher = Hasher()
    hasher.combine(database)
    hasher.combine(name)
    return hasher.finalize()
  }
}
