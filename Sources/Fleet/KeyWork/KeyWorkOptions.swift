import NIOCore

/// A key, or a pattern of keys, of one database.
public struct KeySelector: Sendable, Hashable {
  public let database: Int
  /// The name or pattern as Redis gets it.
  public let bytes: [UInt8]

  public init(database: Int, bytes: [UInt8]) {
    self.database = database
    self.bytes = bytes
  }

  public init(database: Int, pattern: String) {
    self.init(database: database, bytes: Array(pattern.utf8))
  }

  /// Whether a character of `?*[]^` asks for SCAN; the name is used as it is otherwise.
  var isGlob: Bool { bytes.contains { "?*[]^".utf8.contains($0) } }
}

/// What key work is asked to do, and how much it may cost.
public struct KeyWorkOptions: Sendable {
  /// Keys to export size, memory and value of; patterns are looked for with SCAN.
  public var checkKeys: [KeySelector] = []
  public var checkSingleKeys: [KeySelector] = []
  /// Patterns to count.
  public var countKeys: [KeySelector] = []
  public var checkStreams: [KeySelector] = []
  public var checkSingleStreams: [KeySelector] = []
  /// Lua patterns; the first that matches names a key's group by its captures.
  public var checkKeyGroups: [String] = []
  /// Groups of a database that are shown, by memory; the rest is `overflow`.
  public var maxDistinctKeyGroups = 100
  /// What a user asks for as COUNT of SCAN; ``scanCount`` bounds it.
  public var batchSize = 1000
  public var streamsExcludeConsumers = false
  public var disablesKeyValues = false
  /// Lua scripts that report values, with the file names that they are shown under.
  public var scripts: [(fileName: String, source: String)] = []
  /// EVAL_RO instead of EVAL.
  public var scriptsReadOnly = false
  /// Keys and streams of a master are left out; counts, groups and scripts are not.
  public var skipsMasters = false
  /// SCAN covers every master, and single keys are looked up where they are.
  public var isCluster = false
  /// The name of the CONFIG command, or nil when it must not be used.
  public var configCommand: String? = "CONFIG"
  /// Databases when the server does not tell.
  public var fallbackDatabaseCount = 16
  /// The share of time that batches may take; see ``DutyCycle``.
  public var dutyRatio = 0.01
  /// How long after a pass the next begins.
  public var intervalSeconds = 15.0
  /// The bound on connecting, and on each batch.
  public var timeout: TimeAmount = .seconds(2)
  /// Results are dropped when the server has not answered for so long.
  public var staleSeconds = 300.0
  /// Series that one half of the work (look-ups, walk) may export.
  public var seriesLimit = 10_000

  public init() {}

  /// COUNT of SCAN: more than this holds up other clients for milliseconds.
  var scanCount: Int { min(KeyWorkLimits.batchKeys, max(1, batchSize)) }

  var hasLookups: Bool { !(lookupKeys.isEmpty && lookupStreams.isEmpty && scripts.isEmpty) }
  var hasWalk: Bool {
    !(scanKeys.isEmpty && scanStreams.isEmpty && countKeys.isEmpty && checkKeyGroups.isEmpty)
  }
  var isIdle: Bool { !hasLookups && !hasWalk }

  var lookupKeys: [KeySelector] { unique(checkSingleKeys + checkKeys.filter { !$0.isGlob }) }
  var lookupStreams: [KeySelector] { unique(checkSingleStreams + checkStreams.filter { !$0.isGlob }) }
  var scanKeys: [KeySelector] { unique(checkKeys.filter(\.isGlob)) }
  var scanStreams: [KeySelector] { unique(checkStreams.filter(\.isGlob)) }

  private func unique(_ selectors: [KeySelector]) -> [KeySelector] {
    var seen: Set<KeySelector> = []
    return selectors.filter { seen.insert($0).inserted }
  }
}

/// The bounds of key work.
enum KeyWorkLimits {
  /// Keys of one batch, and the largest COUNT of SCAN.
  static let batchKeys = 64
  /// Streams of one batch; XINFO answers with two whole entries each.
  static let batchStreams = 16
  /// Groups of one stream that are looked at.
  static let streamGroups = 1000
  /// Bytes of a value that is shown; longer ones are left out.
  static let valueBytes = 1024
  /// Bytes of a label; longer ones are cut.
  static let labelBytes = 512
  /// Distinct key groups of one database that are held; keys of further ones go to `overflow`.
  static let keyGroups = 100_000
  /// Databases that are walked.
  static let databases = 4096
  /// Connections to a cluster's nodes that are open at a time.
  static let connections = 32
  /// A rest longer than this closes the connections.
  static let idleSeconds = 60.0
  /// How often a walk shows its progress.
  static let progressSeconds = 5.0
}
