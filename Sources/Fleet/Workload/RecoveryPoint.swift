import Redis

/// How a server persists, from its INFO and CONFIG.
public struct PersistenceFacts: Sendable, Equatable {
  public enum AppendFsync: String, Sendable { case always, everysec, no }

  public var isAOFEnabled: Bool
  /// nil where CONFIG is not to be had.
  public var appendFsync: AppendFsync?
  public var isAOFWriteOK: Bool
  /// Fsyncs that took longer than expected, over the server's life.
  public var delayedFsyncCount: Int
  /// Whether `save` has rules; nil where CONFIG is not to be had.
  public var hasSaveRules: Bool?
  /// nil where INFO does not tell.
  public var changesSinceSave: Int?
  /// Unix time; that of the start where nothing was ever saved.
  public var lastSaveSeconds: Double
  /// Whether a dump was written or read since the start; else `lastSaveSeconds` means nothing.
  public var hasSaved: Bool
  public var isLastSaveOK: Bool
  public var uptimeSeconds: Double
  /// Whether INFO says anything of how the server persists.
  public var isTold = true
  /// The server's own clock, Unix time; nil where it does not tell.
  public var serverSeconds: Double?

  public init(
    isAOFEnabled: Bool = false, appendFsync: AppendFsync? = nil, isAOFWriteOK: Bool = true, delayedFsyncCount: Int = 0,
    hasSaveRules: Bool? = nil, changesSinceSave: Int? = 0, lastSaveSeconds: Double = 0, hasSaved: Bool = false,
    isLastSaveOK: Bool = true, uptimeSeconds: Double = 0, serverSeconds: Double? = nil
  ) {
    self.isAOFEnabled = isAOFEnabled
    self.appendFsync = appendFsync
    self.isAOFWriteOK = isAOFWriteOK
    self.delayedFsyncCount = delayedFsyncCount
    self.hasSaveRules = hasSaveRules
    self.changesSinceSave = changesSinceSave
    self.lastSaveSeconds = lastSaveSeconds
    self.hasSaved = hasSaved
    self.isLastSaveOK = isLastSaveOK
    self.uptimeSeconds = uptimeSeconds
    self.serverSeconds = serverSeconds
  }

  /// - Parameters:
  ///   - appendFsync: the value of `appendfsync`, where CONFIG could be read.
  ///   - save: the value of `save`, likewise; empty means no rules.
  public init(_ info: InfoText, appendFsync: String? = nil, save: String? = nil) {
    let saves = info.integer("rdb_saves") ?? 0
    let lastSave = info.finite("rdb_last_save_time") ?? 0
    let uptime = max(0, info.finite("uptime_in_seconds") ?? 0)
    let server = info.serverSeconds
    // Servers before 7 have no `rdb_saves`; a child that finished, or a save after the start, tells as much.
    let childFinished = (info.integer("rdb_last_bgsave_time_sec") ?? -1) >= 0
    let savedAfterStart = server.map { lastSave > $0 - uptime + 2 } ?? false
    self.init(
      isAOFEnabled: info.flag("aof_enabled") == true, appendFsync: appendFsync.flatMap { AppendFsync(rawValue: $0) },
      isAOFWriteOK: info.flag("aof_last_write_status") ?? true,
      delayedFsyncCount: info.integer("aof_delayed_fsync") ?? 0, hasSaveRules: save.map { !$0.isEmpty },
      changesSinceSave: info.integer("rdb_changes_since_last_save").map { max(0, $0) }, lastSaveSeconds: lastSave,
      hasSaved: saves > 0 || childFinished || savedAfterStart,
      isLastSaveOK: info.flag("rdb_last_bgsave_status") ?? true, uptimeSeconds: uptime,
      serverSeconds: server)
    isTold = ["aof_enabled", "rdb_last_save_time", "rdb_changes_since_last_save"].contains { info[$0] != nil }
  }
}

/// How many seconds of writes a crash of the server would lose now.
public struct RecoveryPoint: Sendable, Equatable {
  /// What the number rests on; raw values serve as label values.
  public enum Basis: String, Sendable, CaseIterable {
    case aofAlways = "aof_always"
    case aofEverysec = "aof_everysec"
    /// `everysec`, and the disk does not keep up.
    case aofDelayed = "aof_delayed"
    case aofNo = "aof_no"
    /// The log cannot be written: nothing bounds the loss.
    case aofError = "aof_error"
    /// All is in the last dump.
    case rdbClean = "rdb_clean"
    case rdb
    /// There is no dump of this life of the server yet.
    case rdbNever = "rdb_never"
    case none
  }

  public let basis: Basis
  /// Seconds; infinite where nothing bounds the loss.
  public let seconds: Double

  /// The bound of `appendfsync no`: the kernel writes back after 30 s by default.
  static let kernelFlushSeconds = 30.0

  /// - Parameters:
  ///   - isFsyncDelayed: whether `aof_delayed_fsync` has risen since the poll before.
  ///   - now: Unix time; used only where the server does not tell its own.
  public init(crashOf facts: PersistenceFacts, isFsyncDelayed: Bool, nowSeconds now: Double) {
    (basis, seconds) =
      facts.isAOFEnabled ? Self.aof(facts, isFsyncDelayed) : Self.dump(facts, facts.serverSeconds ?? now)
  }

  private static func aof(_ facts: PersistenceFacts, _ isFsyncDelayed: Bool) -> (Basis, Double) {
    guard facts.isAOFWriteOK else { return (.aofError, .infinity) }
    switch facts.appendFsync {
    case .always: return (.aofAlways, 0)
    case .no: return (.aofNo, kernelFlushSeconds)
    // The default of the servers where CONFIG is not to be had.
    case .everysec, nil: return isFsyncDelayed ? (.aofDelayed, 2) : (.aofEverysec, 1)
    }
  }

  private static func dump(_ facts: PersistenceFacts, _ now: Double) -> (Basis, Double) {
    // Without rules a dump may still be made by hand or for a replica, and then counts.
    if facts.hasSaveRules == false, !facts.hasSaved { return (.none, facts.uptimeSeconds) }
    if facts.changesSinceSave == 0 { return (.rdbClean, 0) }
    guard facts.hasSaved else { return (.rdbNever, facts.uptimeSeconds) }
    return (.rdb, max(0, now - facts.lastSaveSeconds))
  }
}
