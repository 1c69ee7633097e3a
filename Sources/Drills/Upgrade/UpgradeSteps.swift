import Config
import Fleet
import Redis

/// One step of an upgrade: what to do, and commands with placeholders of runbooks. Nobody runs them but a person.
public struct UpgradeStep: Sendable {
  public let title: String
  /// What else is to be known; empty for nothing.
  public let note: String
  /// Lines for a shell.
  public let commands: [String]
  /// Which server, or whose shard, the placeholders are about; nil for the workload.
  public let instance: String?

  init(_ title: String, note: String = "", _ commands: [String], instance: String? = nil) {
    (self.title, self.note, self.commands, self.instance) = (title, note, commands, instance)
  }
}

/// The order of an upgrade, of what a check knows.
public struct UpgradePlan: Sendable {
  private let check: UpgradeCheck
  private var workload: WorkloadConfig { check.workload }
  private var target: ServerRelease { check.target }

  public init(_ check: UpgradeCheck) { self.check = check }

  /// In the order in which they are to be done: replicas, the failover, the old master, shard by shard; then the Sentinels.
  ///
  /// - Parameter marks: the file with the token of those who may mark; nil where nobody may.
  public func steps(configuration path: String, marks: String?) -> [UpgradeStep] {
    var steps = [before(path, marks)]
    let shards = Set(check.members.map(\.shard)).sorted()
    for shard in shards {
      let name = shards.count > 1 ? " of shard \(shard + 1)" : ""
      let own = check.members.filter { $0.shard == shard }
      steps += own.filter { $0.role == .replica && !isDone($0) }.map { upgrade($0, "a replica\(name)") }
      for master in own where master.role == .master && !isDone(master) {
        if own.contains(where: { $0.role == .replica }) {
          steps.append(failover(master, name))
          steps.append(upgrade(master, "the old master\(name), now a replica"))
        } else {
          steps.append(upgrade(master, "the master\(name), which nobody replaces meanwhile"))
        }
      }
    }
    steps += check.sentinels.filter { !isDone($0) }.map(sentinel)
    steps.append(after(path, marks))
    return steps
  }

  private func isDone(_ server: UpgradeServer) -> Bool { server.release?.meets(target) ?? false }

  private func mark(_ kind: String, _ text: String, _ tokenFile: String) -> String {
    "curl -fsS -H \"Authorization: Bearer $(cat \(tokenFile))\" -d '{\"text\": \"\(text)\", \"tags\": [\"workload:\(workload.name)\", \"kind:\(kind)\"]}' {redline}/api/v1/marks"
  }

  private func before(_ path: String, _ marks: String?) -> UpgradeStep {
    var commands = ["redline backup verify \(path) --workload \(workload.name)"]
    if let marks { commands.append(mark("change", "upgrade to \(target)", marks)) }
    let files =
      check.forbidden.isEmpty
      ? ""
      : " Take these out of configuration files where they stand, for \(target) does not start with them: \(check.forbidden.joined(separator: ", "))."
    return UpgradeStep(
      "Before",
      note: "A backup that can be restored is the way back."
        + (marks == nil ? "" : " The mark opens a maintenance window of an hour; send it again for more.") + files,
      commands)
  }

  private func upgrade(_ server: UpgradeServer, _ what: String) -> UpgradeStep {
    UpgradeStep(
      "Upgrade \(server.instance), \(what)",
      note: "Install \(target) on its machine, restart the server, and go on when its link is up and its offset moves.",
      [
        "redis-cli {node} INFO server | grep -E '^(redis|valkey)_version'",
        "redis-cli {node} INFO replication | grep -E '^(role|master_link_status|master_sync_in_progress|slave_repl_offset)'",
      ], instance: server.instance)
  }

  /// Whatever the topology: writes are held before another takes over.
  private func failover(_ master: UpgradeServer, _ name: String) -> UpgradeStep {
    switch workload.topology {
    case .sentinel:
      return UpgradeStep(
        "Fail over from \(master.instance)\(name)",
        note:
          "The pause comes first: after SENTINEL FAILOVER alone, the old master goes on taking writes until it learns of the new one, and loses them all without an error (97,000 to 136,000 in 6 s, as measured). Clients wait meanwhile, and are sent away once it is a replica. Where no failover follows: CLIENT UNPAUSE.",
        [
          "redis-cli {node} CLIENT PAUSE 30000 WRITE && redis-cli {sentinel} SENTINEL FAILOVER {master_name}",
          "redis-cli {sentinel} SENTINEL GET-MASTER-ADDR-BY-NAME {master_name}   # until it names another server",
          "redis-cli {node} CLIENT UNPAUSE",
        ], instance: master.instance)
    case .cluster:
      return UpgradeStep(
        "Fail over from \(master.instance)\(name)",
        note: "Asked of a replica that runs \(target). It holds writes by itself until the replica has everything.",
        ["redis-cli {replica} CLUSTER FAILOVER", "redis-cli {replica} ROLE   # until it is master"],
        instance: master.instance)
    case .replication, .static, .redlock:
      return UpgradeStep(
        "Fail over from \(master.instance)\(name)",
        note:
          "FAILOVER holds writes, waits until the replica has everything, and changes both roles. Send applications to the new master then.",
        [
          "redis-cli {node} FAILOVER TO {replica.host} {replica.port} TIMEOUT 10000",
          "redis-cli {replica} ROLE   # until it is master",
        ],
        instance: master.instance)
    }
  }

  private func sentinel(_ server: UpgradeServer) -> UpgradeStep {
    UpgradeStep(
      "Upgrade the Sentinel \(server.instance)",
      note: "One at a time, so that the quorum stays: go on when it answers OK.",
      ["redis-cli {sentinel} SENTINEL CKQUORUM {master_name}"], instance: server.instance)
  }

  private func after(_ path: String, _ marks: String?) -> UpgradeStep {
    var commands = [
      "redis-cli {members} INFO server | grep -E '^(redis|valkey)_version'",
      "redline check fleet \(path) --workload \(workload.name)",
    ]
    if let marks { commands.append(mark("change-end", "upgraded to \(target)", marks)) }
    return UpgradeStep("Afterwards", commands)
  }
}
