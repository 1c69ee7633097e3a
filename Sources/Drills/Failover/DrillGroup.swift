import Fleet
import Redis
import Runtime

/// A server of data as a drill found it before it began.
struct DrillNode: Sendable, Equatable {
  let address: NodeAddress
  let runID: String
  let isMaster: Bool
}

/// The servers of a drill: one group under Sentinels, or one shard of a cluster.
struct DrillGroup: Sendable {
  let master: DrillNode
  /// Those that may take its place.
  let replicas: [DrillNode]
  /// Others of the cluster, whose word counts.
  let witnesses: [NodeAddress]
  /// Slots of the master; nil without a cluster.
  let slots: [ClosedRange<Int>]?
  let sentinels: [NodeAddress]
  /// After how long without an answer a master counts as down, in seconds.
  let downAfterSeconds: Double
  /// `valkey_version` of a Sentinel, its first number; nil for Redis.
  var sentinelValkeyMajor: Int?

  var nodes: [DrillNode] { [master] + replicas }
  var isCluster: Bool { slots != nil }

  func owns(_ slot: Int) -> Bool { slots?.contains { $0.contains(slot) } ?? true }
}

/// Finds the members of a drill and the master as a good client does, by Sentinels or by a cluster's nodes.
protocol DrillTopology: Sendable {
  /// Whom the drill is about, and whether all is well.
  ///
  /// - Throws: ``DrillRefusal`` with everything that is not steady.
  func steadyGroup() async throws -> DrillGroup

  /// Where the master is now, by the first that knows it.
  func master(_ group: DrillGroup) async throws(RedisError) -> NodeAddress
}

/// What INFO of a server says that a drill needs.
struct DrillFacts: Sendable {
  let info: InfoText
  let server: ServerFacts
  let replication: ReplicationFacts?

  init(_ reply: Reply) {
    info = InfoText(reply.bytes ?? [])
    server = ServerFacts(info)
    replication = ReplicationFacts(info)
  }

  var isLoading: Bool { info.flag("loading") == true }
}

extension DrillClient {
  func facts(_ address: NodeAddress, seconds: Double = 2) async throws(RedisError) -> DrillFacts {
    DrillFacts(try await ask(address, [["INFO"]], seconds: seconds)[0])
  }

  /// What keeps a master and its replicas from being steady: links, loads, synchronisations and lag.
  ///
  /// - Parameter runIDs: the processes that passed the guards.
  /// - Returns: the nodes, where all is well.
  func steady(
    master: NodeAddress, replicas: [NodeAddress], runIDs: Set<String>
  ) async throws(DrillRefusal) -> [DrillNode] {
    var reasons: [String] = []
    var isUnknown = false
    var nodes: [DrillNode] = []
    var offset = 0
    for address in [master] + replicas {
      let name = access.name(address)
      let facts: DrillFacts
      do throws(RedisError) { facts = try await self.facts(address) } catch {
        reasons.append("\(name) does not answer: \(error.message)")
        isUnknown = true
        continue
      }
      let isMaster = address == master
      nodes.append(DrillNode(address: address, runID: facts.server.runID, isMaster: isMaster))
      if !runIDs.contains(facts.server.runID) {
        reasons.append("\(name) is a server that the guards have not seen: its process is another one")
      }
      if facts.isLoading { reasons.append("\(name) is loading its data") }
      guard let replication = facts.replication, replication.isMaster == isMaster else {
        reasons.append("\(name) is no \(isMaster ? "master" : "replica")")
        continue
      }
      if isMaster {
        offset = replication.masterOffset
      } else if replication.isLinkUp != true || replication.isSyncing {
        reasons.append("\(name) is not linked to its master")
      } else if replication.offset < offset, !(await catchesUp(address, to: offset)) {
        reasons.append("\(name) lags: it does not have within \(Self.lagSeconds) s what the master had")
      }
    }
    guard reasons.isEmpty else { throw DrillRefusal(reasons, isUnknown: isUnknown) }
    return nodes
  }

  private static var lagSeconds: Int { 2 }

  private func catchesUp(_ address: NodeAddress, to offset: Int) async -> Bool {
    let end = Monotonic.now + Double(Self.lagSeconds)
    while Monotonic.now < end {
      if let facts = try? await facts(address), let own = facts.replication?.offset, own >= offset { return true }
      try? await Task.sleep(for: .milliseconds(100))
    }
    return false
  }
}
