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
    let given = fields.optional(
      "eviction", .oneOf(Permission.self, noun: "an eviction rule"),
      "Whether keys may be evicted; `any` is not judged.", shown: base.permission.rawValue)
    policies = fields.list(
      "eviction_policies", of: .evictionPolicy,
      "Allowed values of maxmemory-policy; by default all that `eviction` allows.")
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
      to: { names.contains($0) }, "is not a maxmemory-policy", hint: "use one of \(names.joined(separator: ", "))",
      name: "word", range: orList(names))
  }
}
