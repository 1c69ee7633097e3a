import Config
import Metrics
import Redis

/// A watch in one pass, with what it has found so far.
protocol WatchRun: Sendable {
  var name: String { get }
  var pass: KeyPass { get }
  var omittedCount: Int { get }
  var notice: KeyNotice? { get }
  var eventCount: Int { get }
  var watch: any KeyWatch { get }
  /// Commands that the server refused, as an ACL names them: what they would have said is not known.
  var refused: Set<String> { get }

  mutating func enter(_ database: Int)
  /// - Returns: whether the key is to be asked about.
  mutating func meet(_ key: KeyName, matching: [Int]) -> Bool
  mutating func note(_ key: KeyName, _ replies: [[Reply?]])
  mutating func omit(_ count: Int)
  mutating func refuse(_ commands: Set<String>)
  /// The pass is over: what only served to find is given back.
  mutating func finish(at seconds: Double)
  /// What the same watch found here and elsewhere, taken together.
  func summary(with others: [any WatchRun]) -> any KeyFindings
}

/// ``WatchRun`` of one kind of watch.
struct RunOf<Watch: KeyWatch>: WatchRun {
  let kind: Watch
  let pass: KeyPass
  private(set) var findings: Watch.Findings
  private(set) var refused: Set<String> = []
  /// Hashes are enough to know a name again, and small.
  private var met: Set<Int> = []

  /// - Parameter last: what the walk before found.
  /// - Returns: nil where the watch has nothing to find.
  init?(_ watch: Watch, _ pass: KeyPass, after last: Watch.Findings? = nil) {
    guard let findings = watch.begin(pass, after: last) else { return nil }
    (kind, self.pass, self.findings) = (watch, pass, findings)
  }

  var name: String { kind.name }
  var watch: any KeyWatch { kind }
  var omittedCount: Int { findings.omittedCount }
  var notice: KeyNotice? { kind.notice(findings) }
  var eventCount: Int { findings.eventCount }

  mutating func enter(_ database: Int) { kind.enter(database, &findings) }

  mutating func meet(_ key: KeyName, matching: [Int]) -> Bool {
    guard !kind.meetsKeysOnce || met.insert(key.hashValue).inserted else { return false }
    return kind.meet(key, matching: matching, &findings)
  }

  mutating func note(_ key: KeyName, _ replies: [[Reply?]]) { kind.note(key, replies, &findings) }
  mutating func omit(_ count: Int) { findings.omittedCount += count }
  mutating func refuse(_ commands: Set<String>) { refused.formUnion(commands) }

  /// Something newer is known.
  mutating func revise(_ change: (inout Watch.Findings) -> Void) { change(&findings) }

  mutating func finish(at seconds: Double) {
    met = []
    kind.finish(&findings, at: seconds)
  }

  func summary(with others: [any WatchRun]) -> any KeyFindings {
    kind.summary(of: [findings] + others.compactMap { ($0 as? RunOf<Watch>)?.findings })
  }
}

extension KeyWatch {
  /// - Parameter last: the same watch in the walk before; nil where there is none.
  func run(_ pass: KeyPass, after last: (any WatchRun)? = nil) -> (any WatchRun)? {
    RunOf(self, pass, after: (last as? RunOf<Self>)?.findings)
  }

  /// Adds a summary of this watch.
  func add(any summary: any KeyFindings, to sink: inout SampleSink) {
    if let summary = summary as? Summary { add(summary, to: &sink) }
  }

  /// What finds the keys that it looks at elsewhere.
  var search: any KeyWatch {
    KeySearch(name: name, lost: lost, globs: globs, type: type, limit: nameLimit)
  }
}

/// Finds the names of keys, for a watch that looks at them on another server.
struct KeySearch: KeyWatch {
  struct Findings: KeyFindings {
    var names: Set<KeyName> = []
    var omittedCount = 0
  }

  let name: String
  let lost: [String]
  let globs: [KeyPattern]
  let type: String?
  let limit: Int

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    if findings.names.count < limit { findings.names.insert(key) } else { findings.omittedCount += 1 }
    return false
  }

  func summary(of shards: [Findings]) -> Findings {
    shards.dropFirst().reduce(into: shards[0]) { sum, found in
      sum.names.formUnion(found.names)
      sum.omittedCount += found.omittedCount
    }
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {}

  static let families: [Family] = []
}
