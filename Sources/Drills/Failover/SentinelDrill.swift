import Config
import Fleet
import Redis
import Runtime

/// One master under Sentinels.
struct SentinelDrill: DrillTopology {
  let client: DrillClient
  let workload: WorkloadConfig
  let runIDs: Set<String>

  private var masterName: String { workload.sentinel?.masterName ?? "" }

  func steadyGroup() async throws -> DrillGroup {
    var reasons: [String] = []
    var sentinels = client.access.sentinelSeeds
    var monitored: [NodeAddress: MonitoredMaster] = [:]
    var replicas: [MonitoredReplica] = []
    var valkeyMajor: Int?
    var index = 0
    // Those that the seeds know come in behind them.
    while index < sentinels.count, index < Self.sentinelLimit {
      let sentinel = sentinels[index]
      index += 1
      let replies: Replies
      do throws(RedisError) {
        replies = try await client.ask(
          sentinel,
          [
            ["SENTINEL", "MASTER", masterName], ["SENTINEL", "REPLICAS", masterName],
            ["SENTINEL", "SENTINELS", masterName], ["SENTINEL", "CKQUORUM", masterName], ["INFO", "server"],
          ], isSentinel: true, takesErrors: true)
      } catch {
        reasons.append("the Sentinel \(sentinel) says: \(error.message)")
        continue
      }
      guard let master = MonitoredMaster(replies[0]) else {
        let answer = RedisError(reply: replies[0], to: ["SENTINEL", "MASTER"]).message
        reasons.append("the Sentinel \(sentinel) describes no master \(masterName): \(answer)")
        continue
      }
      monitored[sentinel] = master
      replicas = replies[1].instances { MonitoredReplica($0) } ?? []
      for peer in replies[2].instances({ PeerSentinel($0) }) ?? []
      where !sentinels.contains(peer.address) && client.access.admits(peer.address) {
        sentinels.append(peer.address)
      }
      if case .reached = QuorumCheck(replies[3]) {} else { reasons.append("the Sentinel \(sentinel) has no quorum") }
      let info = InfoText(replies[4].bytes ?? [])
      valkeyMajor = ServerFacts(info).valkeyVersion?.major ?? valkeyMajor
    }
    guard let first = monitored.values.first else {
      throw DrillRefusal(reasons.isEmpty ? ["no Sentinel answers"] : reasons, isUnknown: true)
    }
    for (sentinel, master) in monitored.sorted(by: { $0.key < $1.key }) {
      if master.address != first.address { reasons.append("the Sentinels do not agree on the master") }
      if master.flags.isDown { reasons.append("the Sentinel \(sentinel) finds the master down") }
      if master.flags.isFailoverInProgress { reasons.append("a failover is under way") }
    }
    for replica in replicas where replica.flags.isDown || replica.flags.isDisconnected {
      reasons.append("the Sentinels find \(client.access.name(replica.address)) down")
    }
    if !replicas.contains(where: { $0.priority > 0 }) { reasons.append("no replica may be promoted") }
    if let expected = workload.expected.sentinels, monitored.count < expected {
      reasons.append("\(monitored.count) of \(expected) Sentinels answer")
    }
    if let expected = workload.expected.replicas, replicas.count < expected {
      reasons.append("\(replicas.count) of \(expected) replicas are there")
    }
    for address in [first.address] + replicas.map(\.address) where !client.access.admits(address) {
      reasons.append("\(address) may not be connected to, by members.allow")
    }
    guard reasons.isEmpty else { throw DrillRefusal(reasons.unique, isUnknown: monitored.isEmpty) }
    let nodes = try await client.steady(
      master: first.address, replicas: replicas.map(\.address).sorted(), runIDs: runIDs)
    return DrillGroup(
      master: nodes[0], replicas: Array(nodes.dropFirst()), witnesses: [], slots: nil,
      sentinels: monitored.keys.sorted(), downAfterSeconds: Double(first.downAfterMs) / 1000,
      sentinelValkeyMajor: valkeyMajor)
  }

  private static let sentinelLimit = 32

  func master(_ group: DrillGroup) async throws(RedisError) -> NodeAddress {
    var last = RedisError(.connect, "no Sentinel answers")
    for sentinel in group.sentinels.shuffled() {
      do throws(RedisError) {
        let reply = try await client.ask(
          sentinel, [["SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName]], isSentinel: true, seconds: 0.5)[0]
        if let words = reply.elements, let address = NodeAddress(host: words[0]?.text, port: words[1]?.text),
          client.access.admits(address)
        {
          return address
        }
        last = RedisError(.protocol, "the Sentinel \(sentinel) names no master")
      } catch { last = error }
    }
    throw last
  }
}

extension [String] {
  /// Each once, in the order of the first.
  var unique: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
