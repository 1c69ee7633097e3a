/// The reply to CLUSTER SHARDS (Redis 7 and newer): slots and nodes of each shard.
///
/// A shard may list two masters for a while after a failover: the failed one and the promoted one.
public struct ClusterShards: Sendable, Equatable {
  public struct Shard: Sendable, Equatable {
    /// Empty for a shard whose slots have moved elsewhere.
    public let slots: [ClosedRange<Int>]
    public let nodes: [Node]
  }

  public struct Node: Sendable, Equatable {
    public let id: String
    /// Where the server tells clients to connect; nil means the host that was asked.
    public let endpoint: String?
    public let ip: String
    public let hostname: String?
    /// 0 where the node listens with TLS only.
    public let port: Int
    public let tlsPort: Int?
    public let isMaster: Bool
    public let replicationOffset: Int
    /// `online`, `loading` or `fail`.
    public let health: String
  }

  public let shards: [Shard]

  /// - Returns: nil when the reply is no list of shards. Shards and nodes of another shape are left out.
  public init?(_ reply: Reply) {
    guard let elements = reply.elements else { return nil }
    shards = elements.prefix(ClusterNodes.nodeLimit).compactMap { shard in
      guard let nodes = shard.field("nodes")?.elements else { return nil }
      let ends = shard.field("slots")?.elements.map { $0.compactMap(\.integer) } ?? []
      let slots = stride(from: 0, to: ends.count - 1, by: 2).compactMap { slotRange(ends[$0], ends[$0 + 1]) }
      return Shard(slots: slots, nodes: nodes.prefix(ClusterNodes.nodeLimit).compactMap(Self.node))
    }
  }

  private static func node(_ reply: Reply) -> Node? {
    guard let id = reply.field("id")?.text, !id.isEmpty, let role = reply.field("role")?.text else { return nil }
    func text(_ field: String) -> String? { reply.field(field)?.text.flatMap { $0.isEmpty || $0 == "?" ? nil : $0 } }
    func port(_ field: String) -> Int? { reply.field(field)?.integer.flatMap { (0...65535).contains($0) ? $0 : nil } }
    return Node(
      id: id, endpoint: text("endpoint"), ip: text("ip") ?? "", hostname: text("hostname"),
      port: port("port") ?? 0, tlsPort: port("tls-port"), isMaster: role == "master" || role == "primary",
      replicationOffset: reply.field("replication-offset")?.integer ?? 0, health: text("health") ?? "")
  }
}

/// The reply to CLUSTER SLOTS: who serves each range of slots.
public struct ClusterSlots: Sendable, Equatable {
  public struct Range: Sendable, Equatable {
    public let slots: ClosedRange<Int>
    /// The master first, then replicas that are not failed.
    public let nodes: [Node]

    public init(slots: ClosedRange<Int>, nodes: [Node]) {
      self.slots = slots
      self.nodes = nodes
    }
  }

  public struct Node: Sendable, Equatable {
    /// nil means the host that was asked.
    public let host: String?
    public let port: Int
    /// nil before Redis 4.
    public let id: String?

    public init(host: String?, port: Int, id: String?) {
      self.host = host
      self.port = port
      self.id = id
    }
  }

  public let ranges: [Range]

  /// - Returns: nil when the reply is no list. Ranges of another shape are left out.
  public init?(_ reply: Reply) {
    guard let elements = reply.elements else { return nil }
    ranges = elements.prefix(ClusterNodes.slotCount).compactMap { element in
      guard let parts = element.elements.map(Array.init), parts.count >= 3,
        let slots = slotRange(parts[0].integer, parts[1].integer)
      else { return nil }
      let nodes = parts.dropFirst(2).compactMap(Self.node)
      return nodes.isEmpty ? nil : Range(slots: slots, nodes: nodes)
    }
  }

  private static func node(_ reply: Reply) -> Node? {
    guard let elements = reply.elements, let port = elements[1]?.integer, (0...65535).contains(port) else { return nil }
    let host = elements[0]?.text.flatMap { $0.isEmpty || $0 == "?" ? nil : $0 }
    return Node(host: host, port: port, id: elements[2]?.text)
  }
}

/// A range within a cluster's slots; nil for anything else.
func slotRange(_ first: Int?, _ last: Int?) -> ClosedRange<Int>? {
  guard let first, let last, 0 <= first, first <= last, last < ClusterNodes.slotCount else { return nil }
  return first...last
}
