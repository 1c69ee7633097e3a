import Config
import Fleet
import Redis
import Runtime

/// One shard of a cluster.
struct ClusterDrill: DrillTopology {
  let client: DrillClient
  let workload: WorkloadConfig
  let runIDs: Set<String>
  /// Whose shard; nil for that of the first slots.
  let wanted: NodeAddress?

  func steadyGroup() async throws -> DrillGroup {
    var reasons: [String] = []
    guard let first = await nodes(askedOf: client.access.seeds) else {
      throw DrillRefusal(["no node of the cluster answers"], isUnknown: true)
    }
    for node in first.nodes where node.flags.contains(where: { $0.hasPrefix("fail") || $0 == "handshake" }) {
      reasons.append("\(client.access.name(node.address)) is marked \(node.flags.joined(separator: ","))")
    }
    let members = first.nodes.filter { $0.isReachable }
    for node in members where !client.access.admits(node.address) {
      reasons.append("\(node.address) may not be connected to, by members.allow")
    }
    for node in members where client.access.admits(node.address) {
      guard let reply = try? await client.ask(node.address, [["CLUSTER", "INFO"]])[0] else {
        reasons.append("\(client.access.name(node.address)) does not answer")
        continue
      }
      if InfoText(reply.bytes ?? []).text("cluster_state") != "ok" {
        reasons.append("\(client.access.name(node.address)) does not find the cluster ok")
      }
    }
    if members.contains(where: { !$0.movingSlots.isEmpty }) { reasons.append("slots are being moved") }
    let masters = first.servingMasters
    if let expected = workload.expected.masters, masters.count < expected {
      reasons.append("\(masters.count) of \(expected) masters are there")
    }
    let replicaCount = members.count { !$0.isMaster }
    if let expected = workload.expected.replicas, replicaCount < expected {
      reasons.append("\(replicaCount) of \(expected) replicas are there")
    }
    let master = wanted.map { wanted in masters.first { $0.address == wanted } } ?? masters.first
    guard let master else {
      throw DrillRefusal(["\(wanted.map { "\($0) is no master" } ?? "there is no master") with slots"])
    }
    let replicas = members.filter { $0.masterID == master.id }.map(\.address).sorted()
    if replicas.isEmpty { reasons.append("\(client.access.name(master.address)) has no replica") }
    guard reasons.isEmpty else { throw DrillRefusal(reasons.unique) }
    let nodes = try await client.steady(master: master.address, replicas: replicas, runIDs: runIDs)
    let timeout = try? await client.ask(master.address, [["CONFIG", "GET", "cluster-node-timeout"]])[0]
    return DrillGroup(
      master: nodes[0], replicas: Array(nodes.dropFirst()),
      witnesses: members.map(\.address).filter { $0 != master.address }.sorted(), slots: master.slots, sentinels: [],
      downAfterSeconds: Double(timeout?.elements?[1]?.integer ?? 15_000) / 1000)
  }

  /// What the first that answers knows.
  private func nodes(askedOf addresses: [NodeAddress], seconds: Double = 2) async -> ClusterNodes? {
    for address in addresses {
      if let reply = try? await client.ask(address, [["CLUSTER", "NODES"]], seconds: seconds)[0], let text = reply.bytes
      {
        return ClusterNodes(text)
      }
    }
    return nil
  }

  func master(_ group: DrillGroup) async throws(RedisError) -> NodeAddress {
    let slot = group.slots?.first?.lowerBound ?? 0
    let asked = ([group.master.address] + group.witnesses).shuffled()
    guard let nodes = await nodes(askedOf: asked, seconds: 0.5) else {
      throw RedisError(.connect, "no node of the cluster answers")
    }
    guard let owner = nodes.nodes.first(where: { $0.slots.contains { $0.contains(slot) } }),
      client.access.admits(owner.address)
    else { throw RedisError(.protocol, "no node has the slot \(slot)") }
    return owner.address
  }
}

extension ClusterNode {
  var address: NodeAddress { NodeAddress(host: host, port: port) }
}
