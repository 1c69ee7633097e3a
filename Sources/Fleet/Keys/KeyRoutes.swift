import Redis

/// Which node of a cluster has which keys. Without a cluster everything is on the target.
struct KeyRoutes: Sendable {
  /// The nodes that SCAN covers; nil stands for the target.
  let nodes: [Endpoint?]
  /// The names that nodes announce: certificates are made out to them.
  let names: [Endpoint: String]
  /// The owner of each slot as an index into `nodes`, or -1.
  private let owners: [Int16]

  /// No cluster.
  static let single = KeyRoutes(nodes: [nil], names: [:], owners: [])

  private init(nodes: [Endpoint?], names: [Endpoint: String], owners: [Int16]) {
    self.nodes = nodes
    self.names = names
    self.owners = owners
  }

  /// - Parameter target: where the asked node was reached: it may not know its own address.
  init(_ cluster: ClusterNodes, target: Endpoint) {
    var nodes: [Endpoint?] = []
    var names: [Endpoint: String] = [:]
    var owners = [Int16](repeating: -1, count: ClusterNodes.slotCount)
    let policy = AddressPolicy(target: target)
    for master in cluster.servingMasters.prefix(Int(Int16.max)) {
      let endpoint = master.isMyself ? nil : Self.endpoint(of: master, target)
      if let endpoint, policy.refusal(of: endpoint) != nil { continue }
      for range in master.slots {
        for slot in range { owners[slot] = Int16(nodes.count) }
      }
      nodes.append(endpoint)
      if let endpoint { names[endpoint] = policy.certifiedName(master.hostname) }
    }
    self.init(nodes: nodes, names: names, owners: owners)
  }

  static func endpoint(of node: ClusterNode, _ target: Endpoint) -> Endpoint {
    if !node.host.isEmpty { return .tcp(host: node.host, port: node.port) }
    guard case .tcp(let host, _) = target else { return .tcp(host: node.hostname ?? "localhost", port: node.port) }
    return .tcp(host: node.hostname ?? host, port: node.port)
  }

  /// What is about keys by the node that has them. Keys whose slot nobody serves are left out.
  func split<Element>(_ elements: [Element], by name: (Element) -> [UInt8]) -> [(node: Endpoint?, [Element])] {
    guard !owners.isEmpty else { return [(nil, elements)] }
    let byNode = Dictionary(grouping: elements) { owners[clusterSlot(of: name($0))] }
    return byNode.sorted { $0.key < $1.key }.compactMap { index, elements in
      index < 0 ? nil : (nodes[Int(index)], elements)
    }
  }
}
