import Redis
import Runtime

/// What is asked about keys that a first look found large: of what type, how large by more of their elements, how many of those,
/// and when they expire.
struct CloserLook: Sendable {
  struct Found: Sendable {
    /// nil where it is not large enough to be kept.
    var key: BigKey?
    var bytes: Double
    let life: KeyLife?
  }

  let source: KeySampleSource
  /// Whether keys of few elements are counted to the last one.
  let countsElements: Bool

  /// From so many bytes on a key is asked about again: five of its elements say little of all.
  static let smallestBytes = 16_384.0
  /// Keys of one write: each takes the server a quarter of a millisecond.
  static let keyCount = 8
  /// The same of those whose elements are all counted: 5,000 take a millisecond and a half.
  private static let countedKeys = 2

  private func ask(_ commands: [Command], _ database: Int) async throws(RedisError) -> [Reply?] {
    guard !commands.isEmpty else { return [] }
    return try await source.place.link.timed(commands, to: source.node, database: database, inRest: true).replies
  }

  /// - Parameters:
  ///   - keys: of one database, at most ``keyCount``.
  ///   - table: what is known so far.
  /// - Returns: what is known of those that are still there.
  func run(_ keys: [KeyName], _ table: BigKeyTable) async throws(RedisError) -> [Found] {
    guard let database = keys.first?.database else { return [] }
    let replies = try await ask(
      keys.flatMap {
        [
          KeyCommand.type($0.bytes), KeyCommand.memoryUsage($0.bytes, samples: BigKey.sampledElements),
          KeyCommand.remainingLife($0.bytes),
        ]
      }, database)
    var all: [Found] = []
    var large: [(key: KeyName, type: String, place: Int)] = []
    for (place, key) in keys.enumerated() {
      guard let bytes = replies[3 * place + 1].flatMap({ $0.isError || $0.isNull ? nil : $0.double }) else { continue }
      let type = replies[3 * place].flatMap { $0.isError ? nil : $0.text } ?? ""
      let life = replies[3 * place + 2].flatMap(KeyLife.init)
      if life == .gone { continue }
      if table.admits(bytes) || (countsElements && type != "string") {
        large.append((key, keyLabel(Array(type.utf8)), all.count))
      }
      all.append(Found(key: nil, bytes: bytes, life: life))
    }
    let elements = try await elements(large.map { ($0.key, $0.type) }, database)
    var counted: [(place: Int, name: [UInt8])] = []
    let now = WallTime.now
    for (one, count) in zip(large, elements) {
      let bytes = all[one.place].bytes
      var key = table[KeyShare.hash(one.key)] ?? BigKey(one.key, type: one.type, bytes: bytes, at: now)
      key.type = one.type
      key.note(sampledBytes: bytes, elementCount: count, at: now)
      key.life = SampledKeys.Life(all[one.place].life, at: now.epochMs)
      all[one.place].key = key
      all[one.place].bytes = key.bytes
      if countsElements, !key.isString, let count, BigKey.sampledElements < count, count <= BigKey.countedElements {
        counted.append((one.place, one.key.bytes))
      }
    }
    for some in chunks(counted, Self.countedKeys) {
      let replies = try await ask(some.map { KeyCommand.memoryUsage($0.name, samples: 0) }, database)
      for (one, reply) in zip(some, replies) {
        guard let bytes = reply.flatMap({ $0.isError || $0.isNull ? nil : $0.double }) else { continue }
        let sampledBytes = all[one.place].bytes
        all[one.place].key?.note(countedBytes: bytes, sampledBytes: sampledBytes, at: .now)
        all[one.place].bytes = bytes
      }
    }
    return all
  }

  /// How many elements each has; nil where the server does not say.
  private func elements(_ keys: [(name: KeyName, type: String)], _ database: Int) async throws(RedisError) -> [Int?] {
    var commands: [Command] = []
    let places = keys.map { key -> Int? in
      guard let size = KeyCommand.size(key.name.bytes, ofType: key.type) else { return nil }
      commands.append(size)
      return commands.count - 1
    }
    let replies = try await ask(commands, database)
    return places.map { place in place.flatMap { replies[$0] }.flatMap { $0.isError ? nil : $0.integer } }
  }
}
