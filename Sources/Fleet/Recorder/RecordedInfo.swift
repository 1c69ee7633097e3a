import Redis
import Runtime

/// What the flight recorder keeps of INFO: fields that a collector or the facts of a member read, by name, each in the form
/// that it should have. A field that is not listed is not kept.
enum RecordedInfo {
  /// The form that a value must have to be kept.
  enum Form: UInt8, Sendable {
    case omitted
    /// A number or a short word in lower case.
    case value
    /// A version, an address or an identity; known secrets are left out of it.
    case text
    /// `calls=21,usec=175`: pairs whose values are numbers, words or addresses.
    case pairs
  }

  /// Fields with a text that labels or facts are made of.
  private static let texts: [String] = [
    "role", "redis_version", "redis_build_id", "redis_mode", "server_mode", "os", "maxmemory_policy", "tcp_port",
    "run_id",
    "process_id", "master_replid", "master_replid2", "valkey_version", "valkey_release_stage", "availability_zone",
    "master_host", "master_failover_state", "mvcc_depth", "paused_reason", "paused_actions",
  ]
  private static let textHashes = HashSet(texts.map { fnvHash($0) })

  /// Fields with a number that are in no table.
  private static let numbers: [String] = [
    "server_threads", "engines_count", "paused_timeout_milliseconds", "eventloop_duration_sum", "server_time_usec",
    "master_port", "second_repl_offset", "slave_priority", "replica_priority", "slave_read_only", "replica_read_only",
    "cluster_enabled", "maxmemory", "total_system_memory", "mem_not_counted_for_evict", "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec", "rdb_changes_since_last_save", "rdb_last_save_time", "rdb_saves", "aof_enabled",
    "aof_last_write_status", "aof_delayed_fsync", "loading", "rdb_last_cow_size", "aof_last_cow_size",
    "module_fork_last_cow_size", "current_cow_peak", "current_cow_size", "master_link_up_since_seconds",
  ]
  private static let numberHashes = HashSet(numbers.map { fnvHash($0) } + InfoFields.all.map { fnvHash($0.field) })

  private static let cmdstat = Array("cmdstat_".utf8)
  private static let errorstat = Array("errorstat_".utf8)
  private static let percentiles = Array("latency_percentiles_usec_".utf8)
  private static let master = Array("master_".utf8)

  /// - Parameter section: the heading above the field; empty for none.
  static func form(of name: ArraySlice<UInt8>, hash: UInt64, section: String) -> Form {
    if textHashes.contains(hash) { return .text }
    if numberHashes.contains(hash) { return .value }
    if name.starts(with: cmdstat) { return RecordedWord.isWord(name.dropFirst(cmdstat.count)) ? .pairs : .omitted }
    if name.starts(with: percentiles) {
      return RecordedWord.isWord(name.dropFirst(percentiles.count)) ? .pairs : .omitted
    }
    if name.starts(with: errorstat) {
      return RecordedWord.isErrorCode(name.dropFirst(errorstat.count)) ? .pairs : .omitted
    }
    if ["slave", "db", "io_thread_", "engine_"].contains(where: { isNumbered(name, prefix: $0) }) { return .pairs }
    if section == InfoSection.sentinel, isNumbered(name, prefix: "master") { return .pairs }
    // Links to masters, which KeyDB numbers: `master_1_host`.
    if name.starts(with: master), RecordedWord.isWord(name) {
      return MasterLinks.suffix(name).elementsEqual("host".utf8) ? .text : .value
    }
    if isNumbered(name, prefix: "used_active_time_io_thread_") { return .value }
    return .omitted
  }

  /// Whether a heading may stand as it is: `Replication`, `Cluster Info`.
  static func isHeading(_ text: String) -> Bool {
    text.utf8.count <= 32
      && text.utf8.allSatisfy { $0.isASCIILetter || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "_") }
  }

  static func isValue(_ bytes: ArraySlice<UInt8>) -> Bool {
    RecordedWord.isNumber(bytes) || RecordedWord.isState(bytes)
  }

  static let pairLimit = 1024
  static let valueLimit = RecordedWord.numberLimit

  /// Names and values of letters, digits and what addresses are made of: no space, no quote, no `@`.
  static func isPairs(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count <= pairLimit else { return false }
    for byte in bytes where !byte.isASCIIAlphanumeric && !isOfPairs(byte) { return false }
    return true
  }

  private static func isOfPairs(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: ":"),
      UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "+"):
      true
    default: false
    }
  }
}
