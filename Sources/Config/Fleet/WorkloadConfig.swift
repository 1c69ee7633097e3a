/// One workload of the file with everything filled in: its own fields, else `defaults`, else what its kind brings.
public struct WorkloadConfig: Sendable, Equatable {
  /// Unique in the file; the label `workload`.
  public let name: String
  public let kind: WorkloadKind
  public let topology: Topology
  /// Servers to start from; empty with topology `sentinel`, whose Sentinels are in `sentinel`.
  public let seeds: [SeedAddress]
  /// Present with topology `sentinel` alone.
  public let sentinel: SentinelGroup?
  /// Present with topology `redlock` alone.
  public let redlock: RedlockConfig?
  public let login: LoginConfig?
  /// Nil for connections without TLS.
  public let tls: TLSConfig?
  public let expected: MemberCounts
  public let members: MemberRules
  public let eviction: EvictionPolicy
  public let persistence: PersistencePolicy
  /// Nil where its owners have not said what happens while Redis is lost.
  public let degraded: DegradedMode?
  /// Outside of the peak's windows.
  public let objectives: Objectives
  public let peak: PeakProfile?
  public let pollInterval: Duration
  /// The deadline of one whole poll.
  public let timeout: Duration
  /// The most series of it on `/metrics`; nil for any number.
  public let maxSeries: Int?
  public let environment: String?
  public let team: String?
  /// Further labels; none of them reserved.
  public let labels: [String: String]
  /// Its own windows, then those of the whole file.
  public let maintenance: Schedule
  /// Its own rules, then those of the whole file; the first that matches counts.
  public let addressRewrites: [AddressRewrite]
  /// Those of the whole file.
  public let regions: Regions
  public let watches: KeyWatches
  /// Nil where keys are not sampled.
  public let keyspace: KeyspaceConfig?
  /// Whether drills and load tests may touch it.
  public let disruptive: Disruption
  /// Nil where nothing is drilled.
  public let drill: DrillConfig?
  /// How `redline backup verify` comes to its backup.
  public let backup: BackupConfig
  /// How the security of its servers is looked over.
  public internal(set) var audit: AuditConfig
  /// Nil where no file says how its servers should be set.
  public let declared: DeclaredConfig?
  /// Instance names by address in the form of `SeedAddress.description`.
  public let aliases: [String: String]

  func auditing(against file: String) -> WorkloadConfig {
    var config = self
    config.audit.advisoriesFile = file
    return config
  }

  /// The objectives in force at a moment.
  public func objectives(at time: Timestamp) -> Objectives {
    activePeak(at: time)?.objectives ?? objectives
  }

  /// Whether keys may be evicted at a moment; nil when that is not judged.
  public func areEvictionsAllowed(at time: Timestamp) -> Bool? {
    if activePeak(at: time)?.areEvictionsForbidden == true { return false }
    return eviction.permission == .any ? nil : eviction.permission == .allowed
  }

  public func isInPeak(at time: Timestamp) -> Bool { activePeak(at: time) != nil }

  public func isInMaintenance(at time: Timestamp) -> Bool { maintenance.contains(time) }

  private func activePeak(at time: Timestamp) -> PeakProfile? {
    peak.flatMap { $0.windows.contains(time) ? $0 : nil }
  }
}

/// How many members a workload should have; nil when a number is not judged, `any` in the file.
public struct MemberCounts: Sendable, Equatable {
  public let masters: Int?
  /// Replicas of all masters together.
  public let replicas: Int?
  /// Sentinels that watch the master, each counted once.
  public let sentinels: Int?

  /// Masters and replicas together; nil when either is not judged.
  public var nodes: Int? {
    guard let masters, let replicas else { return nil }
    return masters + replicas
  }

  init(masters: Int? = nil, replicas: Int? = nil, sentinels: Int? = nil) {
    self.masters = masters
    self.replicas = replicas
    self.sentinels = sentinels
  }

  init(_ fields: MappingReader, topology: Topology, base: MemberCounts) {
    masters = fields.value(
      "masters", .int(1...1000), or: "any", default: base.masters,
      "Masters; 1 with topology `sentinel` and `replication`.")
    replicas = fields.value(
      "replicas", .int(0...10_000), or: "any", default: base.replicas, "Replicas of all masters together.")
    sentinels = fields.value(
      "sentinels", .int(1...100), or: "any", default: base.sentinels, "Sentinels, with topology `sentinel` only.")
    if topology == .sentinel || topology == .replication, let masters, masters != 1 {
      fields.report("masters", value: String(masters), problem: "is more than topology \(topology) has", hint: "use 1")
    }
    if topology != .sentinel, sentinels != nil {
      fields.report("sentinels", problem: "needs topology: sentinel", hint: "leave it out")
    }
  }
}

/// Which of the addresses that servers and Sentinels announce may be members.
public struct MemberRules: Sendable, Equatable {
  static let limit = 256

  /// The networks and names that members may have; empty where none are listed, which sets no bounds.
  public let allowed: HostFilter
  /// The same as they are written.
  let texts: [String]

  init() { (allowed, texts) = (HostFilter(), []) }

  init(_ fields: MappingReader) {
    let patterns = fields.list(
      "allow", of: .hostPattern,
      "Networks and names that announced members and Sentinels must match; others are not connected to.",
      shown: "any")
    if patterns.count > Self.limit { fields.report("allow", problem: "has more than \(Self.limit) entries") }
    if fields.hasEmptyList("allow") {
      fields.report("allow", problem: "is empty", hint: "list networks and names, or leave it out for any")
    }
    allowed = HostFilter(rules: patterns.map(\.rule))
    texts = patterns.map(\.text)
  }
}

/// A network in CIDR form, an address, or a glob over host names.
struct HostPattern: Sendable {
  let text: String
  let rule: HostFilter.Rule
}

extension ScalarType<HostPattern> {
  static var hostPattern: ScalarType {
    ScalarType(
      placeholder: HostPattern(text: "", rule: .glob([])), name: "host pattern",
      range: "a network such as `10.0.0.0/8`, an address, or a name in which `*` and `?` stand for others"
    ) { text throws(Mismatch) in
      guard !text.isEmpty, !text.contains(where: { $0.isWhitespace || $0 == "," }) else {
        throw Mismatch("is neither a host nor a network", hint: "write it like 10.0.0.0/8 or redis-*.internal")
      }
      return HostPattern(text: text, rule: try HostFilter.rule(text))
    }
  }
}

/// How the masters of a workload must persist.
public struct PersistencePolicy: Sendable, Equatable {
  public enum AOF: String, Sendable, CaseIterable {
    /// `appendonly no`.
    case off
    /// `appendonly yes` with this or a stricter `appendfsync`.
    case everysec, always
  }

  /// Whether RDB files are to be saved by `save` points; nil when it is not judged, `any` in the file.
  public let isRDBOn: Bool?
  /// Nil when it is not judged, `any` in the file.
  public let aof: AOF?

  init(isRDBOn: Bool?, aof: AOF?) {
    self.isRDBOn = isRDBOn
    self.aof = aof
  }

  init(_ fields: MappingReader, base: PersistencePolicy) {
    isRDBOn = fields.value(
      "rdb", .bool, or: "any", default: base.isRDBOn, "Whether `save` points must be set; `any` is not judged.")
    aof = fields.value(
      "aof", .oneOf(AOF.self, noun: "an AOF mode"), or: "any", default: base.aof,
      "The append-only file: off, or on with this or a stricter `appendfsync`; `any` is not judged.")
  }
}

/// Other objectives for declared windows, such as a sale with ten times the traffic.
public struct PeakProfile: Sendable, Equatable {
  /// Never empty.
  public let windows: Schedule
  public let objectives: Objectives
  /// True when nothing may be evicted in a window, whatever holds outside of it.
  public let areEvictionsForbidden: Bool
  /// The members that the workload should have by then; those of other days where the file does not say.
  public let expected: MemberCounts

  init(
    _ fields: MappingReader, base: Objectives, eviction: EvictionPolicy, topology: Topology, expected: MemberCounts
  ) {
    windows = Schedule(fields.list("windows", of: .window, "When the peak is; at least one."))
    if windows.isEmpty { fields.report("windows", problem: "is missing", hint: "say when the peak is") }
    let tightened = base.tightenedForPeak
    objectives =
      fields.mapping("objectives", "Objectives that differ then; the others stay, or get stricter as shown.") {
        Objectives($0, base: tightened)
      } ?? tightened
    self.expected =
      fields.mapping("expected", "Number of members by then, which `redline ready` compares with.") {
        MemberCounts($0, topology: topology, base: expected)
      } ?? expected
    let isForbidden = eviction.permission == .forbidden
    areEvictionsForbidden = fields.value(
      "evictions_forbidden", .bool, default: isForbidden, "Whether nothing may be evicted in a window.")
    if isForbidden, !areEvictionsForbidden {
      fields.report(
        "evictions_forbidden", problem: "is looser than eviction", hint: "eviction is forbidden at all times")
    }
  }
}
