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
