import Config
import Metrics
import Redis
import Runtime

/// Locks that some of Redlock's servers hold and too few.
struct RedlockWatch: KeyWatch {
  let globs: [KeyPattern]
  /// Names that are remembered of a server.
  static let nameLimit = 10_000

  struct Findings: KeyFindings {
    /// Hashes: enough to know a name again on another server.
    var names: Set<Int> = []
    var omittedCount = 0
  }

  struct Summary: KeyFindings {
    /// What each server holds.
    var names: [Set<Int>] = []
    var omittedCount = 0
  }

  let name = "redlock"
  var lost: [String] { ["redis_redlock_split_locks"] }

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    if findings.names.count < Self.nameLimit {
      findings.names.insert(key.hashValue)
    } else {
      findings.omittedCount += 1
    }
    return false
  }

  func summary(of shards: [Findings]) -> Summary {
    Summary(names: shards.map(\.names), omittedCount: shards.reduce(0) { $0 + $1.omittedCount })
  }

  func add(_ summary: Summary, to sink: inout SampleSink) {}

  static let families: [Family] = []
}

/// Locks that are held by some servers and by no majority, in two looks so far apart that each lock of the first has expired
/// by the second: attempts that clients did not undo. Pure.
struct SplitLocks: Sendable {
  private let maxTTLSeconds: Double
  private let quorum: Int
  private let serverCount: Int
  private var lookEnded: WallTime?
  private var split: Set<Int> = []
  /// nil before the second look, and while too many names are there to remember.
  private(set) var count: Int?

  init(_ config: RedlockConfig, serverCount: Int) {
    maxTTLSeconds = config.maxTTL.seconds
    self.serverCount = serverCount
    quorum = serverCount / 2 + 1
  }

  /// Takes in the newest walks over all servers that can be read. While it is too early for another look, nothing is counted.
  ///
  /// - Parameters:
  ///   - began: when the first of them began.
  ///   - ended: when the last of them ended.
  mutating func note(_ found: RedlockWatch.Summary, began: WallTime, ended: WallTime) {
    if let lookEnded, began - lookEnded < maxTTLSeconds { return }
    guard found.omittedCount == 0 else {
      (lookEnded, split, count) = (nil, [], nil)
      return
    }
    // Who cannot be read may hold every lock.
    let unreadCount = max(0, serverCount - found.names.count)
    var holderCounts: [Int: Int] = [:]
    for names in found.names { for name in names { holderCounts[name, default: 0] += 1 } }
    let now = Set(holderCounts.filter { $0.value + unreadCount < quorum }.keys)
    if lookEnded != nil { count = now.intersection(split).count }
    (lookEnded, split) = (ended, now)
  }
}
