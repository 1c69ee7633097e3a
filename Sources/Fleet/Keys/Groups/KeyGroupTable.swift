import Metrics

/// Sorts the keys of one database into groups by Lua patterns and adds up their memory.
struct KeyGroupTable: Sendable {
  struct Group: Sendable, Equatable {
    var name: String
    var count = 0.0
    var memoryBytes = 0.0
  }
  static let unclassified = "unclassified"
  static let overflow = "overflow"

  private let patterns: [LuaPattern]
  private let limit: Int
  private var groups: [String: Group] = [:]
  /// Keys of groups beyond `limit`.
  private var surplus = Group(name: KeyGroupTable.overflow)
  /// Matches that were given up at the step limit; their keys count for the next pattern.
  private(set) var abandonedMatches = 0

  /// - Parameter limit: distinct groups that are held.
  init(patterns: [LuaPattern], limit: Int = KeyWorkLimits.keyGroups) {
    self.patterns = patterns
    self.limit = limit
  }

  /// Counts a key; `memoryBytes` is nil where the server did not tell.
  mutating func add(_ key: [UInt8], memoryBytes: Double?) {
    let name = group(of: key)
    if groups[name] == nil, groups.count >= limit {
      surplus.count += 1
      surplus.memoryBytes += memoryBytes ?? 0
      return
    }
    groups[name, default: Group(name: name)].count += 1
    groups[name]?.memoryBytes += memoryBytes ?? 0
  }

  private mutating func group(of key: [UInt8]) -> String {
    for pattern in patterns {
      switch pattern.find(in: key[...]) {
      case .found(let captures): return keyLabel(captures)
      case .none: continue
      case .tooHard: abandonedMatches += 1
      }
    }
    return Self.unclassified
  }

  /// The `limit` groups with the most memory, the rest as `overflow`; and how many there are in all.
  ///
  /// Equal memory is ordered by count, fewest first, then by name, as redis_exporter does.
  func summary(limit: Int) -> (shown: [Group], distinctCount: Int) {
    guard groups.count > limit || surplus.count > 0 else {
      return (groups.values.sorted { $0.name < $1.name }, groups.count)
    }
    let ordered = groups.values.sorted {
      if $0.memoryBytes != $1.memoryBytes { return $0.memoryBytes > $1.memoryBytes }
      if $0.count != $1.count { return $0.count < $1.count }
      return $0.name < $1.name
    }
    let rest = ordered.dropFirst(max(0, limit)).reduce(into: surplus) { sum, group in
      sum.count += group.count
      sum.memoryBytes += group.memoryBytes
    }
    return (Array(ordered.prefix(max(0, limit))) + [rest], groups.count)
  }

  func add(database: Int, limit: Int, into sink: inout SampleSink) {
    let db = LabelValue.text(databaseLabel(database))
    let (shown, distinctCount) = summary(limit: limit)
    for group in shown {
      sink.add(KeyFamilies.groupCount, group.count, [db, .text(group.name)])
      sink.add(KeyFamilies.groupMemory, group.memoryBytes, [db, .text(group.name)])
    }
    sink.add(KeyFamilies.groupNumber, Double(distinctCount), .text(databaseLabel(database)))
  }
}
