import Config
import Metrics
import Redis

extension FamilyGroup {
  /// Everything that the fleet's parts export, those families apart that servers name.
  public static var ofFleet: [FamilyGroup] {
    CollectorCatalogue.all.map(\.group) + [
      FamilyGroup("Polls", "Of each server that is polled.", families: PollFamilies.all),
      FamilyGroup(
        "Keys, streams, scripts and search indexes that flags name",
        "With the flags that name keys, streams, key groups, scripts or search indexes, such as `--check-keys`; without `--config.file`.",
        families: KeyWork.families),
      FamilyGroup("Workloads", fleetOnly, families: WorkloadFamilies.all),
      FamilyGroup("Failovers", fleetOnly, families: FailoverFamilies.all),
      FamilyGroup(
        "Objectives", "With `--config.file`, of each workload; one that is off has none.",
        families: ObjectiveFamilies.all),
      FamilyGroup("Judgement", fleetOnly, families: CheckFamilies.all + CheckCatalogue.all.flatMap(\.families)),
      FamilyGroup(
        "Jobs", "With `--config.file`.", families: JobFamilies.all + JobCatalogue.all.flatMap(\.families)),
      FamilyGroup("Error budgets", fleetOnly, families: BudgetFamilies.all),
      FamilyGroup(
        "Results of checks", "With `--config.file`, of each workload, once a check left a result or has an objective.",
        families: CheckReportFamilies.all),
      FamilyGroup("Marks", fleetOnly, families: MarkFamilies.all),
      FamilyGroup("Probes", "With `--config.file`, of each member.", families: ProbeFamilies.all),
      FamilyGroup("Load", "With `--config.file`, of each member.", families: LoadFamilies.all),
      FamilyGroup(
        "Watches over keys", "With `--config.file`, of each workload that has the watch on.",
        families: KeyWatchFamilies.all),
      FamilyGroup(
        "Samples of keys", "With `--config.file`, of each workload that has `keyspace`.",
        families: KeyspaceFamilies.all),
    ]
  }

  private static let fleetOnly = "With `--config.file`, of each workload and its members."
}

extension Collector {
  /// What the collector exports, and which commands it needs on which servers.
  fileprivate var group: FamilyGroup {
    FamilyGroup("Collector `\(name)`", condition, families: families)
  }

  private var condition: String {
    let options = CollectorOptions.everything
    let servers: [(name: String, facts: ServerFacts)] = [
      ("Redis", ServerFacts(product: .redis, version: Version(99), mode: .standalone)),
      ("Valkey", ServerFacts(product: .valkey, version: Version(99), mode: .standalone)),
      ("nodes of clusters", ServerFacts(product: .redis, version: Version(99), mode: .cluster)),
      ("Sentinels", ServerFacts(product: .redis, version: Version(99), mode: .sentinel, sentinelMasters: ["NAME"])),
    ]
    var names: [String] = []
    var askers: [String] = []
    for (server, facts) in servers {
      let commands = commands(for: facts, options)
      if !commands.isEmpty { askers.append(server) }
      for command in commands.map({ "`\($0.description)`" }) where !names.contains(command) { names.append(command) }
    }
    if names.isEmpty { return "From `INFO`." }
    let isForSome = !askers.contains("Redis")
    return "From \(names.joined(separator: ", "))\(isForSome ? ", of \(askers.joined(separator: " and ")) only" : "")."
  }
}

extension CollectorOptions {
  /// Whatever an option can add.
  static var everything: CollectorOptions {
    var options = CollectorOptions()
    options.includesConfig = true
    options.includesSystemMetrics = true
    options.includesModules = true
    options.isTile38 = true
    options.includesSentinelPeers = true
    options.includesRDBFileSize = true
    options.clients = ClientSeries(areListed: true, havePorts: true)
    return options
  }
}

extension Family {
  /// Those whose changes are events: a node or its role is lost or found, a failover, clients turned away.
  public static var ofEvents: [Family] { FamilyGroup.ofFleet.flatMap(\.families).filter(\.isEvent) }
}
