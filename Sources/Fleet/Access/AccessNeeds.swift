import Config
import Metrics
import Redis

/// Everything that redline sends to a server, by what it is for.
///
/// What is sent in polls comes from the collectors themselves; key work and watches give theirs where they send them.
public struct AccessNeeds: Sendable {
  public let server: ServerFacts
  public let collectors: CollectorOptions
  /// Whether connections are named by CLIENT SETNAME.
  public let namesClients: Bool
  /// Whether evidence is gathered about alerts.
  public let gathersEvidence: Bool

  public init(server: ServerFacts, collectors: CollectorOptions, namesClients: Bool, gathersEvidence: Bool = false) {
    self.server = server
    self.collectors = collectors
    self.namesClients = namesClients
    self.gathersEvidence = gathersEvidence
  }

  /// Of the one server that flags name.
  public func target(_ work: KeyWorkOptions, database: Int, pings: Bool, discoversCluster: Bool) -> [AccessNeed] {
    var needs = login(database: database) + polls(with: CollectorCatalogue.all)
    if pings { needs.append(AccessNeed("ping", [["PING"]], lost: ["redis_exporter_last_scrape_ping_time_seconds"])) }
    if discoversCluster {
      needs.append(
        AccessNeed("discovery", [KeyPlace.clusterNodes], lost: ["/discover-cluster-nodes, and keys on other nodes"]))
    }
    guard server.mode != .sentinel else { return needs }
    return needs + work.accessNeeds(database: database, server)
  }

  /// Of a member of a workload.
  public func member(of workload: WorkloadConfig) -> [AccessNeed] {
    login(database: 0) + polls(with: CollectorCatalogue.all + [MembershipCollector(masters: MasterNames())])
      + [AccessNeed("probe", [Prober.ping], lost: ["redis_probe_success and redis_probe_duration_seconds"])]
      + workload.watches.accessNeeds(isCluster: workload.topology == .cluster, server)
      + (workload.keyspace?.accessNeeds(isCluster: workload.topology == .cluster, server) ?? []) + evidence
      + audit(of: workload) + workload.watches.followNeeds(server)
  }

  private func audit(of workload: WorkloadConfig) -> [AccessNeed] {
    guard workload.audit.interval != nil else { return [] }
    let commands = AuditLook.everyCommand(
      for: server, configCommand: collectors.configCommand, settings: AuditSettings.names)
    return [AccessNeed("audit", commands, lost: ["the audit: checks that lack a right are unknown"])]
  }

  private var evidence: [AccessNeed] {
    guard gathersEvidence else { return [] }
    return EvidenceCatalogue.commands(for: server).map { source, commands in
      AccessNeed("evidence", commands, lost: ["evidence: \(source.summary)"])
    }
  }

  /// Of a Sentinel that is asked about these masters.
  public func sentinel(masterNames: [String]) -> [AccessNeed] {
    let masters = MasterNames()
    for name in masterNames { _ = masters.add(name) }
    return login(database: 0) + polls(with: CollectorCatalogue.all + [MembershipCollector(masters: masters)])
      + [
        AccessNeed(
          "events", [["PING"], ["PSUBSCRIBE", SentinelListener.pattern]], channels: [SentinelListener.pattern],
          lost: ["failovers as they happen: they are found a poll later, without their phases"])
      ] + evidence
  }

  private func login(database: Int) -> [AccessNeed] {
    var needs: [AccessNeed] = []
    if database != 0 {
      needs.append(AccessNeed("database", [["SELECT", "\(database)"]], lost: ["everything: logging in fails"]))
    }
    if namesClients {
      needs.append(
        AccessNeed("name", [["CLIENT", "SETNAME", "redline"]], lost: ["the name in CLIENT LIST, no metric"]))
    }
    return needs
  }

  private func polls(with all: [any Collector]) -> [AccessNeed] {
    let exposition = Exposition()
    return [AccessNeed("info", [["INFO", "ALL"]], lost: ["everything: redis_up is 0"])]
      + all.compactMap { collector in
        let commands = collector.commands(for: server, collectors)
        guard !commands.isEmpty else { return nil }
        let families = collector.families.map { exposition.fullName(of: $0) }
        return AccessNeed(collector.name, commands, lost: collector.lost.map { [$0] } ?? families)
      }
  }
}

extension ServerFacts {
  /// A server that need not be there: what a Redis or Valkey of this version would say of itself.
  public init(product: Product, version: Version, mode: Mode, sentinelMasters: [String] = []) {
    var lines = ["# Server", "redis_version:\(product == .valkey ? Version(7, 2, 4) : version)"]
    if product == .valkey { lines.append("valkey_version:\(version)") }
    lines.append("redis_mode:\(mode)")
    lines += ["# Cluster", "cluster_enabled:\(mode == .cluster ? 1 : 0)"]
    if mode == .sentinel {
      lines.append("# Sentinel")
      lines += sentinelMasters.enumerated().map { "master\($0.offset):name=\($0.element),status=ok" }
    }
    self.init(InfoText(bytes: Array(lines.joined(separator: "\r\n").utf8)))
  }
}
