import Config
import Runtime

/// What is known of the servers before a command may write or kill.
public struct GuardEvidence: Sendable {
  /// A server of a workload of the configuration.
  public struct Server: Sendable, Equatable {
    public let workload: String
    public let environment: String?
    /// As it is connected to.
    public let address: String
    /// The id of its process; nil while it does not answer.
    public let runID: String?
    /// The id of a node of a cluster.
    public let nodeID: String?

    public init(workload: String, environment: String?, address: String, runID: String?, nodeID: String?) {
      self.workload = workload
      self.environment = environment
      self.address = address
      self.runID = runID.flatMap { $0.isEmpty ? nil : $0 }
      self.nodeID = nodeID
    }
  }

  /// Of the workload itself and of every other that is, or may be, production.
  public let servers: [Server]
  /// Every other workload that is, or may be, production.
  public let production: [String]
  /// What is critical by now, a sentence each.
  public let critical: [String]

  public init(servers: [Server], production: [String], critical: [String]) {
    self.servers = servers
    self.production = production
    self.critical = critical
  }

  /// The processes of a workload that were looked at: nothing else may be touched.
  public func runIDs(of workload: String) -> Set<String> {
    Set(servers.filter { $0.workload == workload }.compactMap(\.runID))
  }

  /// Which servers are those of production, too. One process has one id by whatever name it is reached; the address counts
  /// where a server does not answer.
  func sharing(of workload: String) -> [DisruptionGuard.Refusal] {
    let own = servers.filter { $0.workload == workload }
    var refusals: [DisruptionGuard.Refusal] = []
    if !own.contains(where: { $0.runID != nil }) {
      refusals.append(.init(.shared, "no server of \(workload) answers, so nobody knows whose they are"))
    }
    for other in production where other != workload {
      let theirs = servers.filter { $0.workload == other }
      if let server = own.first(where: { mine in theirs.contains { Self.isSame(mine, $0) } }) {
        refusals.append(
          .init(
            .shared, "\(server.address) of \(workload) is a server of \(other) as well, which is or may be production"))
      } else if !theirs.contains(where: { $0.runID != nil }) {
        refusals.append(
          .init(
            .shared,
            "no server of \(other) answers, which is or may be production: whether \(workload) shares one cannot be told"
          ))
      }
    }
    return refusals
  }

  private static func isSame(_ mine: Server, _ other: Server) -> Bool {
    func matches(_ key: KeyPath<Server, String?>) -> Bool {
      mine[keyPath: key].map { $0 == other[keyPath: key] } ?? false
    }
    return matches(\.runID) || matches(\.nodeID) || mine.address == other.address
  }
}

/// A command that has passed all guards.
public struct GuardPass: Sendable {
  public let workload: WorkloadConfig
  /// The processes that were looked at. A server with another one was not, and is left alone.
  public let runIDs: Set<String>
  /// Alerts and findings that were asked of a daemon; nil where the fleet was polled alone.
  public let daemonURL: String?

  public init(workload: WorkloadConfig, runIDs: Set<String>, daemonURL: String?) {
    self.workload = workload
    self.runIDs = runIDs
    self.daemonURL = daemonURL
  }
}
