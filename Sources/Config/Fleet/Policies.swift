/// What maxmemory-policy may be on the nodes of a workload.
public struct EvictionPolicy: Sendable, Equatable {
  public enum Permission: String, Sendable, CaseIterable {
    /// Any policy that evicts.
    case allowed
    /// `noeviction` only.
    case forbidden
    /// Not judged.
    case any
  }

  /// The values of maxmemory-policy that servers know.
  static let evictingPolicies: [String] = [
    "allkeys-lru", "allkeys-lfu", "allkeys-lrm", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-lrm", "volatile-random", "volatile-ttl",
  ]

  public let permission: Permission
  /// The policies that fit, when the file lists them; empty for all that the permission gives.
  public let policies: [String]

  init(_ permission: Permission) {
    self.permission = permission
    policies = []
  }

  /// Reads `eviction` and `eviction_policies`; a list alone decides the permission.
  init(_ fields: MappingReader, base: EvictionPolicy) {
    let given = fields.optional("eviction", .oneOf(Permission.self, noun: "an eviction rule"))
    policies = fields.list("eviction_policies", of: .evictionPolicy)
    let evicts = policies.contains { $0 != "noeviction" }
    permission = given ?? (policies.isEmpty ? base.permission : evicts ? .allowed : .forbidden)
    if permission == .forbidden, evicts {
      fields.report("eviction_policies", problem: "evict, but eviction is forbidden", hint: "only noeviction fits")
    }
    if permission == .allowed, policies.contains("noeviction") {
      fields.report(
        "eviction_policies", problem: "list noeviction, but eviction is allowed",
        hint: "use eviction: any where both will do")
    }
  }

  /// Whether a node's maxmemory-policy fits the workload.
  public func fits(_ policy: String) -> Bool {
    guard policies.isEmpty else { return policies.contains(policy) }
    return switch permission {
    case .any: true
    case .forbidden: policy == "noeviction"
    case .allowed: policy != "noeviction"
    }
  }
}

extension ScalarType<String> {
  static var evictionPolicy: ScalarType {
    let names = ["noeviction"] + EvictionPolicy.evictingPolicies
    return string.restricted(
      to: { names.contains($0) }, "is not a maxmemory-policy", hint: "use one of \(names.joined(separator: ", "))")
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
    isRDBOn = fields.value("rdb", .bool, or: "any", default: base.isRDBOn)
    aof = fields.value("aof", .oneOf(AOF.self, noun: "an AOF mode"), or: "any", default: base.aof)
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
    masters = fields.value("masters", .int(1...1000), or: "any", default: base.masters)
    replicas = fields.value("replicas", .int(0...10_000), or: "any", default: base.replicas)
    sentinels = fields.value("sentinels", .int(1...100), or: "any", default: base.sentinels)
    if topology == .sentinel || topology == .replication, let masters, masters != 1 {
      fields.report("masters", value: String(masters), problem: "is more than topology \(topology) has", hint: "use 1")
    }
    if topology != .sentinel, sentinels != nil {
      fields.report("sentinels", problem: "needs topology: sentinel", hint: "leave it out")
    }
  }
}
