import Config
import Metrics
import Redis

/// Something that is known by looking at keys: which ones, what is asked about each, and what the answers say.
///
/// A watch is a pure value: ``KeyScan`` finds the keys, sends the commands and keeps to limits and to its share of the
/// server's time. ``KeyWatchCatalogue`` lists the watches; configuration, its reference, rights and metrics follow from what
/// they say of themselves.
protocol KeyWatch: Sendable {
  /// What it makes of the keys of one pass over one server.
  associatedtype Findings: KeyFindings
  /// What it makes of the findings of all shards together.
  associatedtype Summary: KeyFindings = Findings

  static var families: [Family] { get }
  /// Its feature in `redline acl`, and the label `watch`.
  var name: String { get }
  /// What is not known without the rights that it needs: names of families, or a sentence.
  var lost: [String] { get }

  // Which keys.

  /// Whose keys are searched for by SCAN.
  var globs: [KeyPattern] { get }
  /// Keys that are looked at by name, each interval.
  var names: [KeyPattern] { get }
  /// Whether it wants to meet every key of every database, whatever `globs` say.
  var meetsEveryKey: Bool { get }
  /// The only type that it is about, as TYPE names it; nil for any.
  var type: String? { get }
  /// SCAN may return a name twice: whether it is met once all the same, at the cost of remembering each.
  var meetsKeysOnce: Bool { get }
  /// A replica does not know what it asks: keys are found there, and then looked at by name on the master.
  var isReadOnMaster: Bool { get }
  /// The most keys that are looked at by name.
  var nameLimit: Int { get }
  /// Its series name keys: of servers that have nothing to do with one another each has its own.
  var hasSeriesByServer: Bool { get }
  /// How many keys are asked about at a time; fewer where the answers are long.
  var keysAtATime: Int { get }

  // What is asked, and what that says.

  /// - Returns: nil where nothing is to be found on this server.
  func begin(_ pass: KeyPass) -> Findings?
  /// The same for a walk that follows on another one over the same shard.
  ///
  /// - Parameter last: what that one found; nil for the first, and where it was too long ago.
  func begin(_ pass: KeyPass, after last: Findings?) -> Findings?
  /// Keys of a database come now, or it has none.
  func enter(_ database: Int, _ findings: inout Findings)
  /// Takes in a key that matches.
  ///
  /// - Parameter matching: places in `globs` of those that it matches.
  /// - Returns: whether it is to be asked about.
  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool
  /// The commands that are sent next about a key; none when enough is known. Those of one word are sent once for many keys.
  ///
  /// - Parameter replies: to the commands of each round before; nil where the server refuses the command.
  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command]
  /// Every command that may be sent about a key.
  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command]
  /// Takes in what was answered, round by round.
  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings)
  /// The pass is over.
  ///
  /// - Parameter seconds: when, by the clock of ``KeyPass/startedSeconds``.
  func finish(_ findings: inout Findings, at seconds: Double)

  // What is shown.

  func summary(of shards: [Findings]) -> Summary
  func add(_ summary: Summary, to sink: inout SampleSink)
  /// What people should know and no metric says.
  func notice(_ findings: Findings) -> KeyNotice?
}

extension KeyWatch {
  var names: [KeyPattern] { [] }
  var meetsEveryKey: Bool { false }
  var type: String? { nil }
  var meetsKeysOnce: Bool { true }
  var isReadOnMaster: Bool { false }
  var nameLimit: Int { .max }
  var hasSeriesByServer: Bool { false }
  var keysAtATime: Int { KeyWorkLimits.batchKeys }

  func begin(_ pass: KeyPass, after last: Findings?) -> Findings? { begin(pass) }
  func enter(_ database: Int, _ findings: inout Findings) {}
  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool { true }
  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] { [] }
  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    commands(for: key, after: [], KeyPass(server: KeyServer(facts: server), isByName: false))
  }
  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {}
  func finish(_ findings: inout Findings, at seconds: Double) {}
  func notice(_ findings: Findings) -> KeyNotice? { nil }
}

/// What a watch found.
protocol KeyFindings: Sendable {
  /// Keys, or what else has series, that were left out because there were too many or they cannot be read.
  var omittedCount: Int { get set }
  /// Whether anything is known at all.
  var isKnown: Bool { get }
  /// What was counted one by one since the first walk over the shard; of a summary, since the workload is watched.
  var eventCount: Int { get set }
  /// The share of keys that is looked at, in 0...1; nil where none is left out by chance.
  var sampledRatio: Double? { get }
}

extension KeyFindings {
  var isKnown: Bool { true }
  var eventCount: Int {
    get { 0 }
    set {}
  }
  var sampledRatio: Double? { nil }
}

/// A line for the log, written once until it is over.
struct KeyNotice: Sendable {
  let kind: String
  let message: String
  let reason: String
}

/// A key of one database.
struct KeyName: Sendable, Hashable, Comparable {
  let database: Int
  let bytes: [UInt8]

  static func < (left: KeyName, right: KeyName) -> Bool {
    left.database == right.database
      ? left.bytes.lexicographicallyPrecedes(right.bytes) : left.database < right.database
  }
}

/// One pass over the keys of a server.
struct KeyPass: Sendable {
  let server: KeyServer
  /// Whether keys are looked at by name, instead of searched for.
  let isByName: Bool
  /// When it began, in seconds of a clock that only goes forward.
  var startedSeconds = 0.0
}
