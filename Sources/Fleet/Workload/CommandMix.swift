import Redis

/// What clients did and were told, by a server's own counts since its start or CONFIG RESETSTAT: what tells how applications
/// use it.
struct CommandMix: Sendable, Equatable {
  /// Commands that ran; those that were refused before are in none of the counts but the next two.
  var commands = 0
  /// Answers that the server is a replica and takes no writes.
  var readonly = 0
  /// Answers that another node of the cluster has the slot.
  var moved = 0
  /// Calls that queues are made of.
  var queueCalls = 0
  /// Calls that caches are made of.
  var cacheCalls = 0

  /// Lists are read at one end and written at the other, streams by groups.
  static let queueCommands = ["xadd", "xreadgroup", "lpush", "rpush", "brpop", "blpop"]
  static let cacheCommands = ["get", "mget", "set", "setex", "mset"]

  /// What stands in the place of counts once somebody made up too many kinds of errors.
  private static let givenUp = ["errorstat_ERRORSTATS_DISABLED", "errorstat_ERRORSTATS_OVERFLOW"]

  /// Whether it counts errors by their kind: it does from Redis 6.2 on, until there are too many kinds.
  var countsErrors = true

  init(_ info: InfoText, version: Version) {
    func count(_ field: String, _ key: String) -> Int {
      let pair = info[field].flatMap { InfoPairs($0).first { $0.key.elementsEqual(key.utf8) } }
      return max(0, pair.flatMap { parseInteger($0.value) } ?? 0)
    }
    countsErrors = version >= Version(6, 2) && !Self.givenUp.contains { info[$0] != nil }
    commands = max(0, info.integer("total_commands_processed") ?? 0)
    readonly = count("errorstat_READONLY", "count")
    moved = count("errorstat_MOVED", "count")
    queueCalls = Self.queueCommands.reduce(0) { $0 + count("cmdstat_\($1)", "calls") }
    cacheCalls = Self.cacheCommands.reduce(0) { $0 + count("cmdstat_\($1)", "calls") }
  }

  init() {}

  /// What came since an earlier count; nil where a count fell, which a restart or CONFIG RESETSTAT does.
  func since(_ earlier: CommandMix) -> CommandMix? {
    var rest = CommandMix()
    for part in [\.commands, \.readonly, \.moved, \.queueCalls, \.cacheCalls] as [WritableKeyPath<CommandMix, Int>] {
      guard self[keyPath: part] >= earlier[keyPath: part] else { return nil }
      rest[keyPath: part] = self[keyPath: part] - earlier[keyPath: part]
    }
    return rest
  }

  mutating func add(_ other: CommandMix) {
    commands += other.commands
    readonly += other.readonly
    moved += other.moved
    queueCalls += other.queueCalls
    cacheCalls += other.cacheCalls
  }
}
