/// What is known of the directives of redis.conf: how each is written, its other names, and which are not compared.
///
/// Of Redis 6.2 to 8.2 and Valkey to 9.1. A directive that is not listed is compared to the letter.
enum SettingCatalogue {
  /// Why a directive is not compared.
  enum Exemption: String, Sendable {
    case secret = "a secret"
    /// It names the server or its place, or failovers and the service manager change it.
    case own = "each server has its own"
    case users = "users of the ACL are looked at by the audit"
    case modules = "modules and what they are set to"
    case withoutEffect = "without effect"
    case untold = "this server does not tell it"
  }

  static func kind(of name: String) -> SettingKind { kinds[name] ?? .any }

  /// The name of today for one of before.
  static func canonical(_ name: String) -> String { canonicalNames[name] ?? name }

  /// Every name by which some server knows the setting, that of today first.
  static func names(of canonical: String) -> [String] { [canonical] + (otherNames[canonical] ?? []) }

  /// nil for a directive that is compared.
  static func exemption(of name: String) -> Exemption? {
    if secrets.contains(name) || Secret.isKey(Array(name.utf8)[...]) { return name == "user" ? .users : .secret }
    if own.contains(name) || name.contains("-announce-") { return .own }
    if name == "loadmodule" || name.contains(".") { return .modules }
    return nil
  }

  /// Why a server that takes the directive may have no such setting in CONFIG; nil where it must.
  static func silence(of name: String) -> Exemption? {
    withoutEffect.contains(name) ? .withoutEffect : untold.contains(name) ? .untold : nil
  }

  private static let secrets: Set<String> = ["masteruser", "primaryuser"]
  private static let own: Set<String> = [
    "dir", "replicaof", "availability-zone", "daemonize", "supervised", "pidfile",
  ]
  private static let withoutEffect: Set<String> = [
    "list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands", "io-threads-do-reads", "dynamic-hz",
    "sanitize-dump-payload", "gopher-enabled",
  ]

  /// Redis tells them from 7.0 on.
  private static let untold: Set<String> = ["cluster-config-file"]

  private static let otherNames: [String: [String]] = [
    "replicaof": ["slaveof"], "replica-announce-ip": ["slave-announce-ip"],
    "replica-announce-port": ["slave-announce-port"], "replica-priority": ["slave-priority"],
    "replica-lazy-flush": ["slave-lazy-flush"], "replica-serve-stale-data": ["slave-serve-stale-data"],
    "replica-read-only": ["slave-read-only"], "replica-ignore-maxmemory": ["slave-ignore-maxmemory"],
    "cluster-replica-no-failover": ["cluster-slave-no-failover"],
    "cluster-replica-validity-factor": ["cluster-slave-validity-factor"],
    "repl-ping-replica-period": ["repl-ping-slave-period"], "min-replicas-to-write": ["min-slaves-to-write"],
    "min-replicas-max-lag": ["min-slaves-max-lag"],
    "hash-max-listpack-entries": ["hash-max-ziplist-entries"], "hash-max-listpack-value": ["hash-max-ziplist-value"],
    "zset-max-listpack-entries": ["zset-max-ziplist-entries"], "zset-max-listpack-value": ["zset-max-ziplist-value"],
    "list-max-listpack-size": ["list-max-ziplist-size"], "busy-reply-threshold": ["lua-time-limit"],
    "commandlog-execution-slower-than": ["slowlog-log-slower-than"],
    "commandlog-slow-execution-max-len": ["slowlog-max-len"],
    "server-cpulist": ["server_cpulist"], "bio-cpulist": ["bio_cpulist"],
    "aof-rewrite-cpulist": ["aof_rewrite_cpulist"], "bgsave-cpulist": ["bgsave_cpulist"],
  ]
  private static let canonicalNames = Dictionary(
    uniqueKeysWithValues: otherNames.flatMap { name, others in others.map { ($0, name) } })

  private static let kinds: [String: SettingKind] = {
    var kinds: [String: SettingKind] = [
      "oom-score-adj": .word(same: ["relative": "yes"]), "hz": .integer(within: 1...500), "unixsocketperm": .octal,
      "maxmemory-clients": .memoryOrPercent, "bind": .words, "tls-protocols": .wordSet, "shutdown-on-sigint": .wordSet,
      "shutdown-on-sigterm": .wordSet, "notify-keyspace-events": .events,
      "latency-tracking-info-percentiles": .percentiles, "oom-score-adj-values": .integers(count: 3), "save": .save,
      "client-output-buffer-limit": .bufferLimits,
    ]
    for (names, kind) in [
      (yesNo, SettingKind.yesNo), (integers, .integer()), (memory, .memory), (texts, .text), (words, .word()),
    ] {
      for name in names.split(separator: " ") { kinds[String(name)] = kind }
    }
    return kinds
  }()

  private static let yesNo = """
    activedefrag activerehashing always-show-logo aof-disable-auto-gc aof-load-truncated \
    aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble appendonly \
    cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down cluster-allow-replica-migration \
    cluster-enabled cluster-replica-no-failover cluster-require-full-coverage cluster-slot-stats-enabled \
    crash-log-enabled crash-memcheck-enabled daemonize disable-thp dual-channel-replication-enabled dynamic-hz \
    extended-redis-compatibility gopher-enabled hide-user-data-from-log import-mode io-threads-do-reads \
    jemalloc-bg-thread latency-tracking lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del \
    lazyfree-lazy-user-del lazyfree-lazy-user-flush lua-replicate-commands mptcp no-appendfsync-on-rewrite \
    protected-mode rdb-del-sync-files rdb-save-incremental-fsync rdbchecksum rdbcompression repl-disable-tcp-nodelay \
    repl-diskless-sync repl-mptcp replica-announced replica-ignore-disk-write-errors replica-ignore-maxmemory \
    replica-lazy-flush replica-read-only replica-serve-stale-data set-proc-title stop-writes-on-bgsave-error \
    syslog-enabled tls-cluster tls-prefer-server-ciphers tls-replication tls-session-caching
    """

  private static let integers = """
    acllog-max-len active-defrag-cycle-max active-defrag-cycle-min active-defrag-cycle-us \
    active-defrag-max-scan-fields active-defrag-threshold-lower active-defrag-threshold-upper active-expire-effort \
    auto-aof-rewrite-percentage busy-reply-threshold cluster-blacklist-ttl cluster-databases \
    cluster-manual-failover-timeout cluster-migration-barrier cluster-node-timeout cluster-port \
    cluster-replica-validity-factor cluster-slot-migration-log-max-len commandlog-execution-slower-than \
    commandlog-large-reply-max-len commandlog-large-request-max-len commandlog-slow-execution-max-len databases \
    events-per-io-thread \
    hash-max-listpack-entries io-threads latency-monitor-threshold lfu-decay-time lfu-log-factor \
    list-compress-depth list-max-listpack-size list-max-ziplist-entries list-max-ziplist-value \
    max-new-connections-per-cycle max-new-tls-connections-per-cycle maxclients maxmemory-eviction-tenacity \
    maxmemory-samples min-replicas-max-lag min-replicas-to-write port prefetch-batch-max-size repl-backlog-ttl \
    repl-diskless-sync-delay repl-diskless-sync-max-replicas repl-ping-replica-period repl-timeout replica-priority \
    set-max-intset-entries set-max-listpack-entries set-max-listpack-value shutdown-timeout socket-mark-id \
    stream-node-max-entries tcp-backlog tcp-keepalive timeout tls-port tls-session-cache-size \
    tls-session-cache-timeout tracking-table-max-keys zset-max-listpack-entries
    """

  private static let memory = """
    active-defrag-ignore-bytes auto-aof-rewrite-min-size client-query-buffer-limit cluster-link-sendbuf-limit \
    hash-max-listpack-value hll-sparse-max-bytes maxmemory proto-max-bulk-len repl-backlog-size \
    replica-full-sync-buffer-limit stream-node-max-bytes zset-max-listpack-value
    """

  private static let texts = """
    aclfile aof-rewrite-cpulist appenddirname appendfilename bgsave-cpulist bind-source-addr bio-cpulist \
    cluster-config-file dbfilename ignore-warnings locale-collate logfile pidfile proc-title-template server-cpulist \
    syslog-ident tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file \
    tls-client-key-file tls-dh-params-file tls-key-file unixsocket unixsocketgroup
    """

  private static let words = """
    acl-pubsub-default appendfsync cluster-preferred-endpoint-type enable-debug-command enable-module-command \
    enable-protected-configs log-format log-timestamp-format loglevel maxmemory-policy propagation-error-behavior \
    repl-diskless-load sanitize-dump-payload supervised syslog-facility tls-auth-clients
    """
}
