import Config
import Metrics
import Redis

/// The flag `count-keys`: how many keys of one server match each pattern.
struct KeyCounts: KeyWatch {
  let globs: [KeyPattern]

  init(_ options: KeyWorkOptions) { globs = options.countKeys }

  struct Findings: KeyFindings {
    /// By database; one that could not be walked over has no counts.
    var counts: [Int: [Double]] = [:]
    var omittedCount = 0
    fileprivate(set) var hasOneDatabase = false
  }

  var name: String { "counts" }
  var lost: [String] { ["redis_keys_count"] }
  /// That would mean to remember every name: one that SCAN returns in two steps counts twice.
  var meetsKeysOnce: Bool { false }

  func begin(_ pass: KeyPass) -> Findings? { Findings(hasOneDatabase: pass.server.hasOneDatabase) }

  func enter(_ database: Int, _ findings: inout Findings) {
    if findings.counts[database] == nil { findings.counts[database] = Array(repeating: 0, count: globs.count) }
  }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    for place in matching { findings.counts[key.database]?[place] += 1 }
    return false
  }

  func summary(of shards: [Findings]) -> Findings { shards[0] }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    for (database, counts) in summary.counts.sorted(by: { $0.key < $1.key }) {
      for (glob, count) in zip(globs, counts) where summary.hasOneDatabase || glob.database == database {
        sink.add(KeyFamilies.count, count, [.text(databaseLabel(database)), .text(keyLabel(glob.bytes))])
      }
    }
  }

  static let families = [KeyFamilies.count]
}
