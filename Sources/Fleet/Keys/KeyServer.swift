import Metrics
import Redis

/// What INFO says of the server that decides what key work does.
struct KeyServer: Sendable {
  /// Whether keys and streams are to be looked at.
  let showsKeys: Bool
  /// Whether XINFO STREAM FULL counts entries that were given back (Redis 8.8).
  let knowsNacked: Bool
  /// Keys of each database that has some; nil where the server does not tell.
  let keyCounts: [Int: Double]?

  init(_ info: InfoText?, skipsMasters: Bool, isCluster: Bool) {
    showsKeys = !(skipsMasters && info?.text("role") == "master")
    let version = info?["valkey_version"] == nil ? info?.text("redis_version") : nil
    knowsNacked = Version(version ?? "") >= Version(8, 8)
    keyCounts = isCluster ? nil : info.map(Self.keyCounts)
  }

  var databases: [Int] { keyCounts.map { Array($0.keys) } ?? [] }
  var keyTotal: Double? { keyCounts?.values.reduce(0, +) }
  func hasKeys(_ database: Int) -> Bool { keyCounts.map { $0[database, default: 0] > 0 } ?? true }

  /// `db3:keys=10,expires=2,avg_ttl=0` lines.
  private static func keyCounts(_ info: InfoText) -> [Int: Double] {
    var counts: [Int: Double] = [:]
    for field in info.fields {
      let name = info.name(of: field)
      guard name.starts(with: "db".utf8), let database = parseInteger(name.dropFirst(2)), database >= 0,
        database < KeyWorkLimits.databases,
        let keys = InfoPairs(info.value(of: field)).first(where: { $0.key.elementsEqual("keys".utf8) })
      else { continue }
      counts[database] = parseDouble(keys.value) ?? 0
    }
    return counts
  }
}

extension KeyWork {
  /// Asks what the server is, and where a cluster's keys are.
  func readServer() async throws(RedisError) -> KeyServer {
    if options.isCluster { try await readRoutes() }
    let sections = ["server", "replication", "keyspace"]
    let replies = try await link.send(sections.map { ["INFO", $0] })
    let texts = replies.compactMap { $0.flatMap { $0.isError ? nil : $0.bytes } }
    let info = texts.isEmpty ? nil : InfoText(bytes: Array(texts.joined(separator: "\r\n".utf8)))
    return KeyServer(info, skipsMasters: options.skipsMasters, isCluster: options.isCluster)
  }

  static let clusterNodes: Command = ["CLUSTER", "NODES"]

  /// Learns from the target which nodes the cluster has. Only nodes that the cluster itself names are connected to.
  func readRoutes() async throws(RedisError) {
    let command = Self.clusterNodes
    guard let reply = try await link.send([command])[0] else {
      throw RedisError(.permission, "the server refuses CLUSTER NODES")
    }
    guard !reply.isError, let text = reply.bytes else { throw RedisError(reply: reply, to: command) }
    routes = KeyRoutes(ClusterNodes(text), target: link.target, usesTLS: usesTLS)
  }
}
