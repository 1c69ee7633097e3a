import Config
import Metrics
import Redis

/// The flags `check-keys` and `check-single-keys`: size, memory and value of single keys of one server.
struct ListedKeys: KeyWatch {
  let globs: [KeyPattern]
  let names: [KeyPattern]
  private let seriesLimit: Int
  /// Whether values are fetched at all.
  private let readsValues: Bool

  init(_ options: KeyWorkOptions) {
    globs = options.scanKeys
    names = options.lookupKeys
    seriesLimit = options.seriesLimit
    readsValues = !options.disablesKeyValues
  }

  struct Findings: KeyFindings {
    var reports: [(database: Int, report: KeyReport)] = []
    var omittedCount = 0
    /// A key that is looked at by name and is not there has size 0.
    fileprivate(set) var showsMissing: Bool
    fileprivate var seriesCount = 0
  }

  var name: String { "keys" }
  var lost: [String] { ["redis_key_size, redis_key_memory_usage_bytes, redis_key_value"] }
  var meetsKeysOnce: Bool { false }

  func begin(_ pass: KeyPass) -> Findings? {
    pass.server.showsKeys ? Findings(showsMissing: pass.isByName && !pass.server.isCluster) : nil
  }

  /// Once there are too many series, there is no use in asking for more.
  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    findings.seriesCount <= seriesLimit
  }

  /// Type and memory, then size and the start of strings, then HyperLogLogs.
  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    switch replies.count {
    case 0: return [KeyCommand.type(key), KeyCommand.memoryUsage(key)]
    case 1:
      let type = KeyReport(name: key, type: replies[0][0], memory: nil).type
      guard let size = KeyCommand.size(key, ofType: type) else { return [] }
      let count = readsValues ? KeyWorkLimits.valueBytes + 1 : Self.hyperLogLogMark.count
      return [size] + (type == "string" ? [KeyCommand.prefix(key, count: count)] : [])
    case 2: return Self.isHyperLogLog(replies) ? [KeyCommand.hyperLogLogCount(key)] : []
    default: return []
    }
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    let types =
      ["string", "list", "set", "zset", "hash", "stream"] + (server.knowsNacked ? ["array"] : [])
      + (server.knowsVectorSets ? ["vectorset"] : [])
    return [KeyCommand.type(key), KeyCommand.memoryUsage(key)]
      + types.compactMap { KeyCommand.size(key, ofType: $0) }
      + [KeyCommand.prefix(key, count: 1), KeyCommand.hyperLogLogCount(key)]
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    var report = KeyReport(name: key.bytes, type: replies[0][0], memory: replies[0][1])
    if replies.count > 1 {
      report.size = Self.number(replies[1][0])
      // PFCOUNT answers a string that only looks like a HyperLogLog with an error: it stays a string.
      if Self.isHyperLogLog(replies) {
        if replies.count > 2, let count = Self.number(replies[2][0]) { report.size = count }
      } else if readsValues, replies[1].count > 1, let reply = replies[1][1], !reply.isError, let bytes = reply.bytes {
        report.value = KeyReport.value(of: bytes)
      }
    }
    findings.seriesCount += [report.memoryBytes, report.size].count { $0 != nil } + (report.value == nil ? 0 : 1)
    findings.reports.append((key.database, report))
  }

  func summary(of shards: [Findings]) -> Findings {
    shards.dropFirst().reduce(into: shards[0]) { $0.reports += $1.reports }
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    for (database, report) in summary.reports {
      report.add(database: database, showsMissing: summary.showsMissing, into: &sink)
    }
  }

  private static func isHyperLogLog(_ replies: [[Reply?]]) -> Bool {
    guard replies.count > 1, replies[1].count > 1, let reply = replies[1][1], !reply.isError else { return false }
    return reply.bytes?.starts(with: hyperLogLogMark) ?? false
  }

  private static func number(_ reply: Reply?) -> Double? { reply.flatMap { $0.isError ? nil : $0.double } }

  private static let hyperLogLogMark = Array("HYLL".utf8)

  static let families = [KeyFamilies.size, KeyFamilies.memory, KeyFamilies.value, KeyFamilies.valueAsString]
}
