import NIOCore
import Redis
import Runtime

/// One look at the keys of whatever stands at an address: a server, its replica where it has one, or every shard of its cluster.
public struct KeyspaceLook: Sendable {
  public var options = KeySampleOptions()
  /// The share of each server's time that it may take.
  public var dutyRatio = 0.01
  public var timeout: TimeAmount = .seconds(2)

  private let connection: ConnectionOptions
  private let context: ConnectionContext

  public init(_ connection: ConnectionOptions, in context: ConnectionContext) {
    (self.connection, self.context) = (connection, context)
  }

  /// - Parameters:
  ///   - isEnded: whether to make do with what was seen so far.
  ///   - progress: is told from time to time.
  /// - Throws: ``RedisError`` where nothing can be sampled.
  public func run(
    isEnded: @escaping @Sendable () -> Bool, progress: @escaping @Sendable (KeySampleProgress) -> Void
  ) async throws(RedisError) -> KeyspaceReport {
    let began = NIODeadline.now()
    let beganAt = WallTime.now
    let first = place(connection)
    var places = [first]
    let outcome: KeySampleOutcome
    let sources: [KeySampleSource]
    do throws(RedisError) {
      let own = KeySampleSource(place: first, node: nil, name: connection.address.description)
      let server = try await SampledServer.read(own)
      guard server.facts.mode != .sentinel else {
        throw RedisError(.protocol, "the address is that of a Sentinel: name a server that has keys")
      }
      if server.facts.isClusterEnabled {
        var reading = connection
        // A replica of a cluster then answers for its master's keys.
        reading.readsReplica = true
        let place = self.place(reading)
        places.append(place)
        sources = try await shards(place)
      } else {
        sources = [await replica(of: server, own) ?? own]
      }
      var sample = KeySample(sources, options, isEnded: isEnded, progress: progress)
      var random = SystemRandomNumberGenerator()
      outcome = await sample.run(using: &random)
      if outcome.failures.count == sources.count, let failure = outcome.failures[0] { throw failure.error }
    } catch {
      for place in places { await place.link.stop() }
      throw error
    }
    for place in places { await place.link.stop() }
    return KeyspaceReport(
      outcome, of: sources, options, beganAt: beganAt,
      tookSeconds: Double((NIODeadline.now() - began).nanoseconds) / 1e9)
  }

  private func place(_ connection: ConnectionOptions) -> KeyPlace {
    KeyPlace(connection, context: context, dutyRatio: dutyRatio, timeout: timeout, node: NodeCost())
  }

  /// The first replica of a master that can be read and keeps up.
  private func replica(of server: SampledServer, _ own: KeySampleSource) async -> KeySampleSource? {
    guard let replication = server.replication, replication.isMaster else { return nil }
    let policy = AddressPolicy(target: connection.address.endpoint)
    let online = replication.replicas.lazy.filter { $0.state == .online }.map(\.address.endpoint)
    for endpoint in online.prefix(Self.triedReplicas) where policy.refusal(of: endpoint) == nil {
      let source = KeySampleSource(place: own.place, node: endpoint, name: "\(endpoint)")
      if let read = try? await SampledServer.read(source), read.isFitReplica { return source }
    }
    return nil
  }

  private static let triedReplicas = 3

  /// A replica of each shard of a cluster, or its master.
  private func shards(_ place: KeyPlace) async throws(RedisError) -> [KeySampleSource] {
    guard let reply = try await place.link.send([KeyPlace.clusterNodes])[0] else {
      throw RedisError(.permission, "the server refuses CLUSTER NODES")
    }
    guard !reply.isError, let text = reply.bytes else { throw RedisError(reply: reply, to: KeyPlace.clusterNodes) }
    let cluster = ClusterNodes(text)
    let policy = AddressPolicy(target: connection.address.endpoint)
    var names: [Endpoint: String] = [:]
    func source(_ node: ClusterNode) -> KeySampleSource? {
      if node.isMyself { return KeySampleSource(place: place, node: nil, name: connection.address.description) }
      let endpoint = KeyRoutes.endpoint(of: node, connection.address.endpoint)
      guard policy.refusal(of: endpoint) == nil else { return nil }
      names[endpoint] = policy.certifiedName(node.hostname)
      return KeySampleSource(place: place, node: endpoint, name: "\(endpoint)")
    }
    var candidates: [[KeySampleSource]] = []
    for master in cluster.servingMasters {
      let replicas = cluster.nodes.filter { $0.masterID == master.id && $0.isReachable && $0.isLinkConnected }
      candidates.append((replicas.prefix(Self.triedReplicas).map { $0 } + [master]).compactMap(source))
    }
    await place.link.know(names: names)
    var sources: [KeySampleSource] = []
    for shard in candidates {
      guard let master = shard.last else { continue }
      var chosen = master
      for replica in shard.dropLast() {
        if let read = try? await SampledServer.read(replica), read.isFitReplica {
          chosen = replica
          break
        }
      }
      sources.append(chosen)
    }
    guard !sources.isEmpty else { throw RedisError(.protocol, "no node of the cluster serves slots") }
    return sources
  }
}
