import Config
import Metrics
import Redis

/// The flag `check-key-groups`: keys of one server and their memory, by groups that Lua patterns name.
struct KeyGroups: KeyWatch {
  private let patterns: [LuaPattern]
  /// Groups of a database that are shown, by memory.
  private let shownLimit: Int

  init(_ patterns: [LuaPattern], _ options: KeyWorkOptions) {
    self.patterns = patterns
    shownLimit = options.maxDistinctKeyGroups
  }

  struct Findings: KeyFindings {
    var tables: [Int: KeyGroupTable] = [:]
    var omittedCount = 0
  }

  var name: String { "key groups" }
  var lost: [String] { ["redis_key_group_*"] }
  var globs: [KeyPattern] { [] }
  var meetsEveryKey: Bool { true }
  var meetsKeysOnce: Bool { false }

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func enter(_ database: Int, _ findings: inout Findings) {
    if findings.tables[database] == nil { findings.tables[database] = KeyGroupTable(patterns: patterns) }
  }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    replies.isEmpty ? [KeyCommand.memoryUsage(key)] : []
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    let memory = replies[0][0].flatMap { $0.isError ? nil : $0.double }
    findings.tables[key.database]?.add(key.bytes, memoryBytes: memory)
  }

  func summary(of shards: [Findings]) -> Findings { shards[0] }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    for (database, table) in summary.tables.sorted(by: { $0.key < $1.key }) {
      table.add(database: database, limit: shownLimit, into: &sink)
    }
  }

  func notice(_ findings: Findings) -> KeyNotice? {
    guard findings.tables.values.contains(where: { $0.abandonedMatches > 0 }) else { return nil }
    return KeyNotice(
      kind: "pattern", message: "a key group pattern needs too many steps for some keys",
      reason: "they count for the next pattern")
  }

  static let families = [KeyFamilies.groupCount, KeyFamilies.groupMemory, KeyFamilies.groupNumber]
}
