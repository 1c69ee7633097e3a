import Config
import NIOCore

/// What key work is asked to do, and how much it may cost.
public struct KeyWorkOptions: Sendable {
  /// Keys to export size, memory and value of; patterns are looked for with SCAN.
  public var checkKeys: [KeyPattern] = []
  public var checkSingleKeys: [KeyPattern] = []
  /// Patterns to count.
  public var countKeys: [KeyPattern] = []
  public var checkStreams: [KeyPattern] = []
  public var checkSingleStreams: [KeyPattern] = []
  /// Lua patterns; the first that matches names a key's group by its captures.
  public var checkKeyGroups: [String] = []
  /// Groups of a database that are shown, by memory; the rest is `overflow`.
  public var maxDistinctKeyGroups = 100
  /// What a user asks for as COUNT of SCAN; nil to find out what suits the server.
  public var batchSize: Int?
  public var streamsExcludeConsumers = false
  public var disablesKeyValues = false
  /// Lua scripts that report values, with the file names that they are shown under.
  public var scripts: [(fileName: String, source: String)] = []
  /// EVAL_RO instead of EVAL.
  public var scriptsReadOnly = false
  /// Which search indexes are looked at, by name; nil for none.
  public var searchIndexes: (@Sendable ([UInt8]) -> Bool)?
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
  /// From the start of a pass to the start of the next; a pass that takes longer is followed by the next at once.
  public var intervalSeconds = 15.0
  /// The bound on connecting, and on each batch.
  public var timeout: TimeAmount = .seconds(2)
  /// Results are dropped when the server has not answered for so long.
  public var staleSeconds = 300.0
  /// Series that each watch may export of what it looks at by name, and of what it walks over.
  public var seriesLimit = 10_000

  public init() {}

  /// - Parameter scripts: the scripts that `keys` names, read from their files.
  public init(_ keys: KeyOptions, scripts: [(fileName: String, source: String)]) {
    checkKeys = keys.keys
    checkSingleKeys = keys.singleKeys
    countKeys = keys.counts
    checkStreams = keys.streams
    checkSingleStreams = keys.singleStreams
    checkKeyGroups = keys.groupPatterns
    maxDistinctKeyGroups = keys.maxGroups
    batchSize = keys.batchSize
    streamsExcludeConsumers = !keys.areConsumersIncluded
    disablesKeyValues = !keys.areValuesIncluded
    skipsMasters = keys.isSkippedOnMaster
    self.scripts = scripts
    scriptsReadOnly = keys.areScriptsReadOnly
    dutyRatio = keys.dutyRatio
    intervalSeconds = keys.interval / .seconds(1)
  }

  var hasLookups: Bool { !(lookupKeys.isEmpty && lookupStreams.isEmpty && scripts.isEmpty) || searchIndexes != nil }
  var hasWalk: Bool {
    !(scanKeys.isEmpty && scanStreams.isEmpty && countKeys.isEmpty && checkKeyGroups.isEmpty)
  }
  var isIdle: Bool { !hasLookups && !hasWalk }

  var lookupKeys: [KeyPattern] { unique(checkSingleKeys + checkKeys.filter { !$0.isGlob }) }
  var lookupStreams: [KeyPattern] { unique(checkSingleStreams + checkStreams.filter { !$0.isGlob }) }
  var scanKeys: [KeyPattern] { unique(checkKeys.filter(\.isGlob)) }
  var scanStreams: [KeyPattern] { unique(checkStreams.filter(\.isGlob)) }

  private func unique(_ selectors: [KeyPattern]) -> [KeyPattern] {
    var seen: Set<KeyPattern> = []
    return selectors.filter { seen.insert($0).inserted }
  }
}

extension KeyWorkOptions {
  func groupPatterns() throws(KeyWorkError) -> [LuaPattern] {
    var patterns: [LuaPattern] = []
    for text in checkKeyGroups {
      do throws(LuaPatternError) { patterns.append(try LuaPattern(text)) } catch {
        throw KeyWorkError(description: "check-key-groups: \(error)")
      }
    }
    return patterns
  }

  /// How it is gone about.
  var scan: KeyScanOptions {
    var scan = KeyScanOptions()
    scan.intervalSeconds = intervalSeconds
    scan.staleSeconds = staleSeconds
    scan.hasWalk = hasWalk
    scan.scanCount = batchSize
    scan.isCluster = isCluster
    scan.skipsMasters = skipsMasters
    scan.configCommand = configCommand
    scan.fallbackDatabaseCount = fallbackDatabaseCount
    scan.scripts = scripts
    scan.searchIndexes = searchIndexes
    scan.scriptsReadOnly = scriptsReadOnly
    return scan
  }
}

/// The bounds of key work.
enum KeyWorkLimits {
  /// Keys that are asked about in one batch.
  static let batchKeys = 64
  /// Bytes of their names; a longer name is alone.
  static let batchNameBytes = 1 << 20
  /// Commands of one write.
  static let batchCommands = 128
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
  /// Search indexes that are looked at: with all their series they stay below the limit of series.
  static let searchIndexes = 400
  /// Databases that are walked.
  static let databases = 4096
  /// Connections to a cluster's nodes that are open at a time.
  static let connections = 32
  /// A rest longer than this closes the connections.
  static let idleSeconds = 60.0
  /// How often a walk shows its progress.
  static let progressSeconds = 5.0
}
