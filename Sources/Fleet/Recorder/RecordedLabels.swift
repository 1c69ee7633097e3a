import Runtime

/// Which labels of series stand in a recording as they are. The values of others, such as names of keys and clients, become
/// a pseudonym that is the same throughout one run of the daemon.
public struct RecordedLabels: Sendable {
  /// Labels whose values are the configuration's, the program's own or a server's words for states and commands.
  private static let plain: Set<String> = [
    "actions", "alertmanager", "alertname", "basis", "certificate", "check", "class", "cmd", "code", "collector",
    "command", "critical", "db", "environment", "epoch", "event_name", "fault", "from", "instance", "instance_role",
    "job", "kind", "le", "limit", "master_address", "master_host", "master_name", "master_port", "master_status",
    "maxmemory_policy", "objective", "operation", "outcome", "phase", "port", "process_id", "quantile", "reason",
    "redis_build_id", "redis_mode", "redis_version", "reply", "role", "run_id", "sentinel", "sentinel_group",
    "service", "severity", "slave_ip", "slave_port", "slave_state", "slot", "state", "task", "tcp_port", "team",
    "thread", "to", "topology", "trouble", "valkey_version", "version", "watch", "window", "workload",
  ]
  /// Values of codes, as far as they are known.
  private static let codes: Set<String> = ["err"]

  private let salt = UInt64.random(in: 1 ... .max)
  /// Names of labels that the configuration gives.
  var configured: Set<String> = []
  /// Values that stand in the configuration, such as the names of streams that are watched.
  var known: Set<String> = []

  public func value(_ value: String, of name: String) -> String {
    if value.isEmpty || Self.plain.contains(name) || configured.contains(name) || known.contains(value) {
      return KnownSecrets.masked(value, sparesWords: true)
    }
    if Self.codes.contains(name), RecordedWord.errorCodes.contains(value) { return value }
    return pseudonym(of: value)
  }

  /// `~` and 12 hexadecimal digits. What they stand for cannot be found by trying: the salt is never written.
  func pseudonym(of text: String) -> String {
    var hash = salt
    for byte in text.utf8 {
      hash = (hash ^ UInt64(byte)) &* FNV1a.prime
      hash ^= hash >> 29
    }
    hash = (hash ^ salt) &* 0x9e37_79b9_7f4a_7c15
    hash ^= hash >> 32
    let digits = String(hash, radix: 16)
    return "~" + (String(repeating: "0", count: 16 - digits.utf8.count) + digits).suffix(12)
  }
}
