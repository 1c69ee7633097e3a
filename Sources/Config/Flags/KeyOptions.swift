/// Work on keys, streams and scripts, which runs on its own interval within a budget.
public struct KeyOptions: Sendable {
  /// Found by SCAN when they are globs.
  public let keys: [KeyPattern]
  public let singleKeys: [KeyPattern]
  /// Found by SCAN when they are globs.
  public let streams: [KeyPattern]
  public let singleStreams: [KeyPattern]
  /// Counted by SCAN.
  public let counts: [KeyPattern]
  /// Lua patterns, the first that matches a key names its group; empty when key groups are off.
  public let groupPatterns: [String]
  /// Groups exported for each database, 0 or more.
  public let maxGroups: Int
  /// COUNT of a SCAN, 1 or more; nil where nobody asked for one.
  public let batchSize: Int?
  public let areConsumersIncluded: Bool
  public let areValuesIncluded: Bool
  public let isSkippedOnMaster: Bool
  /// Paths of Lua files.
  public let scripts: [String]
  public let areScriptsReadOnly: Bool
  /// Largest share of a server's time, in (0, 0.5].
  public let dutyRatio: Double
  /// From the start of one full pass to the start of the next.
  public let interval: Duration

  /// True when no key work was asked for; scripts are not key work.
  public var isEmpty: Bool {
    keys.isEmpty && singleKeys.isEmpty && streams.isEmpty && singleStreams.isEmpty && counts.isEmpty
      && groupPatterns.isEmpty
  }

  init(_ flags: FlagReader) {
    func patterns(_ name: String) -> [KeyPattern] {
      flags.parsed(name, placeholder: []) { text throws(Mismatch) in try KeyPattern.list(text) }
    }
    keys = patterns("check-keys")
    singleKeys = patterns("check-single-keys")
    streams = patterns("check-streams")
    singleStreams = patterns("check-single-streams")
    counts = patterns("count-keys")
    groupPatterns = flags.parsed("check-key-groups", placeholder: []) { text throws(Mismatch) in
      try CSVRecord.parse(text)
    }
    maxGroups = flags.int("max-distinct-key-groups")
    let count = flags.int("check-keys-batch-size")
    batchSize = flags.given("check-keys-batch-size") == nil ? nil : count
    areConsumersIncluded = !flags.bool("streams-exclude-consumer-metrics")
    areValuesIncluded = !flags.bool("disable-exporting-key-values")
    isSkippedOnMaster = flags.bool("skip-checkkeys-for-role-master")
    scripts = flags.string("script").split(separator: ",").map { String(trimmed($0)) }.filter { !$0.isEmpty }
    areScriptsReadOnly = flags.bool("lua-script-read-only")
    dutyRatio = flags.share("keywork.duty-ratio")
    interval = flags.duration("keywork.interval")
  }
}
