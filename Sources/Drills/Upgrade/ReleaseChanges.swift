import Fleet

/// What a release took away or changed that a workload may rely on.
///
/// Each row was seen on servers of both sides (Redis 6.2.5, 7.0.15, 7.4.1, 8.2.3, Valkey 9.1.2: COMMAND, CONFIG GET and a
/// start with the setting) or in their sources; what nobody could look at has no row.
struct ReleaseChanges: Sendable {
  /// A command that a release does not have.
  struct Command: Sendable {
    let names: [String]
    let isGone: @Sendable (_ from: ServerRelease, _ to: ServerRelease) -> Bool
    let instead: String
  }

  /// A setting that a release does not know any more.
  struct Setting: Sendable {
    let name: String
    let usual: String
    /// Whether a server does not start that finds it in its file; else it is ignored.
    let isFatal: Bool
    let isGone: @Sendable (_ from: ServerRelease, _ to: ServerRelease) -> Bool
  }

  /// A default that a release changed.
  struct Default: Sendable {
    let name: String
    let before: String
    let after: String
    let means: String
    let isChanged: @Sendable (_ from: ServerRelease, _ to: ServerRelease) -> Bool
  }

  static let commands = [
    Command(names: ["stralgo"], isGone: reaches(7), instead: "LCS is the same since Redis 7.0"),
    Command(
      names: [
        "hexpire", "hexpireat", "hexpiretime", "hgetex", "hpersist", "hpexpire", "hpexpireat", "hpexpiretime", "hpttl",
        "hsetex", "httl",
      ], isGone: leaves(.redis, before: Version(9)), instead: "Valkey has expiry of hash fields since 9.0"),
    Command(
      names: ["hgetdel"], isGone: leaves(.redis, before: Version(9, 1)), instead: "Valkey has it since 9.1"),
    Command(
      names: [
        "vadd", "vcard", "vdim", "vemb", "vgetattr", "vinfo", "vismember", "vlinks", "vrandmember", "vrem", "vsetattr",
        "vsim",
      ], isGone: leaves(.redis, before: nil), instead: "Valkey has no vector sets"),
    Command(
      names: ["xackdel", "xdelex"], isGone: leaves(.redis, before: nil), instead: "in Valkey: XACK, then XDEL"),
  ]

  static let settings = [
    Setting(name: "gopher-enabled", usual: "no", isFatal: true, isGone: reaches(7)),
    Setting(name: "lua-replicate-commands", usual: "yes", isFatal: false, isGone: reaches(7)),
    Setting(name: "io-threads-do-reads", usual: "no", isFatal: false) { from, to in
      to.product == .redis ? reaches(8, 2)(from, to) : to.isAtLeast(8, 1) && !isGoneAlready(from, Version(8, 1))
    },
    Setting(name: "dynamic-hz", usual: "yes", isFatal: false, isGone: leaves(.redis, from: Version(9, 1))),
    Setting(name: "sanitize-dump-payload", usual: "no", isFatal: false, isGone: leaves(.redis, from: Version(9, 1))),
    Setting(name: "cluster-compatibility-sample-ratio", usual: "0", isFatal: true, isGone: leaves(.redis, before: nil)),
    Setting(name: "replica-full-sync-buffer-limit", usual: "0", isFatal: true, isGone: leaves(.redis, before: nil)),
    Setting(
      name: "vset-force-single-threaded-execution", usual: "no", isFatal: true, isGone: leaves(.redis, before: nil)),
  ]

  static let defaults = [
    Default(
      name: "acl-pubsub-default", before: "allchannels", after: "resetchannels",
      means: "users whose rules name no channel may publish and subscribe no longer", isChanged: reaches(7)),
    Default(
      name: "repl-diskless-sync", before: "no", after: "yes",
      means: "full syncs go to replicas without a file on the master's disk", isChanged: reaches(7)),
    Default(
      name: "lazyfree-lazy-expire", before: "no", after: "yes", means: "expired keys are freed in a thread of its own",
      isChanged: reachesValkey8),
    Default(
      name: "lazyfree-lazy-user-flush", before: "no", after: "yes",
      means: "FLUSHALL and FLUSHDB without a word return at once, and memory follows later", isChanged: reachesValkey8),
    Default(
      name: "repl-backlog-size", before: "1048576", after: "10485760",
      means: "each server takes 9 MiB more for its replicas", isChanged: reachesValkey8),
  ]

  /// Every setting that is asked for, by name.
  static let names = Set(settings.map(\.name) + defaults.map(\.name)).sorted()

  private static func isGoneAlready(_ from: ServerRelease, _ version: Version) -> Bool {
    from.product == .valkey && from.version >= version
  }

  /// From a release of Redis before this one to whatever comes after it, Valkey among it.
  private static func reaches(_ major: Int, _ minor: Int = 0) -> @Sendable (ServerRelease, ServerRelease) -> Bool {
    { from, to in from.product == .redis && !from.isAtLeast(major, minor) && to.isAtLeast(major, minor) }
  }

  private static let reachesValkey8: @Sendable (ServerRelease, ServerRelease) -> Bool = { from, to in
    to.product == .valkey && to.isAtLeast(8) && (from.product == .redis || !from.isAtLeast(8))
  }

  /// From a product to Valkey before a version, or to any for nil.
  private static func leaves(
    _ product: ServerRelease.Product, before version: Version?
  ) -> @Sendable (ServerRelease, ServerRelease) -> Bool {
    { from, to in from.product == product && to.product != product && (version.map { to.version < $0 } ?? true) }
  }

  private static func leaves(
    _ product: ServerRelease.Product, from version: Version
  ) -> @Sendable (ServerRelease, ServerRelease) -> Bool {
    { from, to in from.product == product && to.product != product && to.version >= version }
  }
}
