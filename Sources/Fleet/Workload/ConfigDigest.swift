import Redis

/// The settings of a server as hashes: enough to tell which differ between members, and nothing of their values.
struct ConfigDigest: Sendable, Equatable {
  struct Entry: Sendable, Equatable {
    let key: UInt64
    let value: UInt64
  }

  /// Settings that are read of one server.
  static let limit = 1024

  /// In the order of the keys' hashes.
  let entries: [Entry]

  init(_ config: ServerConfig) {
    SettingNames.learn(config)
    entries = config.entries.prefix(Self.limit).map { Entry(key: $0.keyHash, value: fnvHash(config.value(of: $0))) }
      .sorted { $0.key < $1.key }
  }

  /// The hash of all settings that a failover leaves alone.
  var fingerprint: UInt64 {
    entries.lazy.filter { !ConfigDrift.isOwn($0.key) }.reduce(UInt64(entries.count)) { sum, entry in
      (sum ^ entry.key) &* 0x0000_0100_0000_01b3 &+ entry.value
    }
  }

  /// The hashes of the settings that have another value than in an older digest of the same server; what a failover
  /// changes, and what only one of them has, is left out.
  func changedKeys(from old: ConfigDigest) -> [UInt64] {
    guard self != old else { return [] }
    let values = Dictionary(old.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    return entries.filter { entry in
      !ConfigDrift.isOwn(entry.key) && values[entry.key].map { $0 != entry.value } ?? false
    }.map(\.key)
  }
}

/// The settings that differ between the members of a workload although they should not.
struct ConfigDrift: Sendable {
  /// Settings that name the server itself, say what its place is, or that failovers and Redis itself change.
  static let ownKeys: [String] = [
    "port", "tls-port", "bind", "bind-source-addr", "unixsocket", "dir", "dbfilename", "logfile", "pidfile",
    "syslog-ident", "appendfilename", "appenddirname", "cluster-config-file", "cluster-port", "cluster-announce-ip",
    "cluster-announce-hostname", "cluster-announce-human-nodename", "cluster-announce-port",
    "cluster-announce-tls-port", "cluster-announce-bus-port", "slave-announce-ip", "replica-announce-ip",
    "slave-announce-port", "replica-announce-port", "slaveof", "replicaof", "slave-priority", "replica-priority",
    "availability-zone", "tls-cert-file", "tls-key-file", "tls-client-cert-file", "tls-client-key-file",
    "server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist", "server-cpulist", "bio-cpulist",
    "aof-rewrite-cpulist", "bgsave-cpulist", "oom-score-adj-values",
  ]
  private static let ownHashes = Set(ownKeys.map { fnvHash($0) })

  static func isOwn(_ key: UInt64) -> Bool { ownHashes.contains(key) }

  /// Hashes of the keys with more than one value among the members that have them.
  let keys: Set<UInt64>

  init(_ digests: [ConfigDigest]) {
    var values: [UInt64: UInt64] = [:]
    var differing: Set<UInt64> = []
    for digest in digests {
      for entry in digest.entries where !Self.ownHashes.contains(entry.key) {
        if let known = values[entry.key] {
          if known != entry.value { differing.insert(entry.key) }
        } else {
          values[entry.key] = entry.value
        }
      }
    }
    keys = differing
  }
}
