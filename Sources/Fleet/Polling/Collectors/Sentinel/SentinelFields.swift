import Redis

/// Fields of what Sentinels say of masters, replicas and one another.
enum SentinelFields {
  /// Those that the flight recorder keeps: names, addresses, states and numbers.
  static let recorded = HashSet(
    [
      "name", "ip", "port", "runid", "flags", "quorum", "num-slaves", "num-other-sentinels", "config-epoch",
      "down-after-milliseconds", "failover-timeout", "parallel-syncs", "last-hello-message", "last-ok-ping-reply",
      "last-ping-reply", "last-ping-sent", "info-refresh", "role-reported", "role-reported-time", "s-down-time",
      "o-down-time", "master-link-status", "master-link-down-time", "master-host", "master-port", "slave-priority",
      "slave-repl-offset", "replica-announced", "voted-leader", "voted-leader-epoch",
    ].map { fnvHash($0) })
}
