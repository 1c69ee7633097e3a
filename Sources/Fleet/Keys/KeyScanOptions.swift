import NIOCore
import Runtime

/// How a ``KeyScan`` goes about it.
struct KeyScanOptions: Sendable {
  /// From the start of a pass to the start of the next; a pass that takes longer is followed by the next at once.
  var intervalSeconds = 15.0
  /// What was found is dropped after so long, or three intervals and walks.
  var staleSeconds = 300.0
  /// Whether there is anything to walk for.
  var hasWalk = false
  /// COUNT of SCAN; nil to find it out.
  var scanCount: Int?
  /// One of many servers that a workload watches, instead of the one that flags name: it takes its time to begin, what it
  /// finds is known whole or not at all, and grows old while a walk is under way.
  var isOfWorkload = false
  /// SCAN covers every master of the target's cluster, and single keys are looked at where they are.
  var isCluster = false
  /// It is one node of a cluster, and the others are asked by themselves.
  var isClusterNode = false
  /// Single keys of a master are left out.
  var skipsMasters = false
  /// The name of the CONFIG command; nil when it must not be used.
  var configCommand: String?
  /// Databases when the server does not tell.
  var fallbackDatabaseCount = 16
  /// Lua scripts that report values, with the file names that they are shown under.
  var scripts: [(fileName: String, source: String)] = []
  /// Which search indexes are looked at, by name; nil for none.
  var searchIndexes: (@Sendable ([UInt8]) -> Bool)?
  /// EVAL_RO instead of EVAL.
  var scriptsReadOnly = false
}

/// What one whole pass found.
struct WholePass: Sendable {
  let runs: [any WatchRun]
  let endedAt = NIODeadline.now()
  let ended: WallTime
  /// With the waits that keep it within its share of time.
  let tookSeconds: Double

  init(_ runs: [any WatchRun], _ started: NIODeadline) {
    let took = Double((NIODeadline.now() - started).nanoseconds) / 1e9
    self.init(runs, ended: .now, tookSeconds: took)
  }

  init(_ runs: [any WatchRun], ended: WallTime, tookSeconds: Double) {
    let seconds = endedAt.seconds
    self.runs = runs.map { run in
      var run = run
      run.finish(at: seconds)
      return run
    }
    (self.ended, self.tookSeconds) = (ended, tookSeconds)
  }

  /// When it began, by a clock that only goes forward.
  var beganSeconds: Double { endedAt.seconds - tookSeconds }

  func run(of name: String) -> (any WatchRun)? { runs.first { $0.name == name } }
}

/// The first walk over the keys of a server. Over very many keys it takes hours, and how long is known only at its end.
struct FirstWalk: Sendable {
  static let limit = TimeAmount.hours(24)
  static let failureLimit = 3
  private var began: NIODeadline?
  private var failureCount = 0
  private var isComplete = false

  mutating func begin(at now: NIODeadline) { if !isComplete, began == nil { began = now } }
  mutating func noteFailure() { failureCount += 1 }
  mutating func complete() { isComplete = true }

  /// Whether it still goes on and may yet end well.
  func isUnderWay(at now: NIODeadline) -> Bool {
    guard let began, !isComplete else { return false }
    return failureCount < Self.failureLimit && now - began < Self.limit
  }
}

/// What a ``KeyScan`` knows.
struct KeyResults: Sendable {
  /// Of keys that are looked at by name.
  var byName: WholePass?
  var scripts: [(fileName: String, report: ScriptReport)] = []
  var searchIndexes: [SearchIndexReport] = []
  /// Of keys that SCAN finds.
  var walk: WholePass?
  /// What the server refused of SCAN and the like when a walk was last tried; nil where a walk was complete since.
  var refusedWalk: String?
  var firstWalk = FirstWalk()
  /// When the server last answered.
  var answeredAt = NIODeadline.now()

  /// Without what is too old to be shown.
  func fresh(at now: NIODeadline, _ options: KeyScanOptions) -> KeyResults {
    func isFresh(_ pass: WholePass?) -> Bool {
      guard let pass else { return false }
      let age = Double((now - (options.isOfWorkload ? pass.endedAt : answeredAt)).nanoseconds) / 1e9
      return age <= max(options.staleSeconds, 3 * (options.intervalSeconds + pass.tookSeconds))
    }
    var fresh = self
    if !isFresh(byName) { (fresh.byName, fresh.scripts, fresh.searchIndexes) = (nil, [], []) }
    if !isFresh(walk) { fresh.walk = nil }
    return fresh
  }
}

extension NIODeadline {
  /// Of a clock that only goes forward.
  var seconds: Double { Double(uptimeNanoseconds) / 1e9 }
}
