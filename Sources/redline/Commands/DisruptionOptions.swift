import ArgumentParser
import Config
import Drills
import Fleet
import Redis
import Runtime

/// What every command takes that writes to a workload or kills its servers, and the way through its guards.
struct DisruptionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The workload's name, where its environment is production or not given; it must then be typed on the terminal as well.",
      valueName: "name"))
  var confirm: String?

  /// Goes through the guards of one workload.
  ///
  /// - Parameter purpose: what is about to happen, as a sentence for who must confirm it.
  /// - Throws: ``ConfigErrors``; ``ExitCode`` 2, when a guard refuses, which has been said then; ``DaemonOptions/Failure``.
  func pass(_ options: ReportOptions, purpose: String) async throws -> GuardPass {
    guard let name = options.workload else {
      throw ConfigErrors(
        ConfigError(.flag("workload"), problem: "is missing", hint: "name the one workload that may be touched"))
    }
    let (only, path) = try options.load()
    guard let workload = only.workload(named: name) else { throw ExitCode(Redline.usageStatus) }
    let guards = DisruptionGuard(workload)
    try Self.stop(for: guards.refusals())
    if guards.needsConfirmation {
      let given = confirm
      let confirmation = await Task(executorPreference: WorkExecutor.files) {
        TypedConfirmation.obtained(given: given, for: name, to: purpose)
      }.value
      try Self.stop(for: guards.refusals(confirmation))
    }
    let evidence = try await Self.evidence(workload, path: path, options)
    try Self.stop(for: guards.refusals(evidence, at: Timestamp(WallTime.now)))
    return GuardPass(workload: workload, runIDs: evidence.runIDs(of: name), daemonURL: options.daemon.url)
  }

  private static func stop(for refusals: [DisruptionGuard.Refusal]) throws {
    guard !refusals.isEmpty else { return }
    for refusal in refusals { Redline.printError("redline: refused: \(refusal)") }
    throw ExitCode(Redline.usageStatus)
  }

  /// Polls the workload, and every other that may be production, once, and asks the daemon where one is named.
  private static func evidence(
    _ workload: WorkloadConfig, path: String, _ options: ReportOptions
  ) async throws -> GuardEvidence {
    let config = try FleetConfig.load(path)
    let production = config.workloads.filter {
      $0.name != workload.name && DisruptionGuard.mayBeProduction($0.environment)
    }
    let looked = Set(production.map(\.name) + [workload.name])
    let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
    let name = workload.name
    Progress.show("looks at \(looked.count) \(looked.count == 1 ? "workload" : "workloads")")
    defer { Progress.show("") }
    let (members, results) = await FleetSearch.run(config.limited { looked.contains($0.name) }, subject) { fleet in
      (await fleet.members(), await fleet.checkResults(of: name))
    }
    var critical = results.filter { $0.severity == .critical }.map { "\($0.text) [\($0.check)]" }
    if let url = options.daemon.url { critical += try await self.critical(options.daemon, url, of: name) }
    return GuardEvidence(
      servers: members.filter { $0.role != .sentinel }.map { member in
        GuardEvidence.Server(
          workload: member.workload, environment: member.environment, address: "\(member.address.endpoint)",
          runID: member.node.poller.newest.flatMap { $0.state.isUp ? $0.facts?.runID : nil },
          nodeID: member.clusterNodeID)
      },
      production: production.map(\.name), critical: critical)
  }

  /// What a daemon has that is critical: alerts that fire for the workload, or for none, and findings.
  private static func critical(_ daemon: DaemonOptions, _ url: String, of workload: String) async throws -> [String] {
    var critical = try await daemon.checkResults(url, workload: workload).filter { $0.severity == .critical }.map {
      "\($0.text) [\($0.check)]"
    }
    let alerts: [JSONValue]
    do {
      alerts = try await daemon.ask(url, "alerts")["alerts"]?.elements ?? []
    } catch let failure as DaemonOptions.Failure where failure.isNotFound {
      // It judges no rules: Prometheus may, which is not known here.
      return critical
    }
    for alert in alerts where alert["state"]?.string == "firing" {
      let labels = alert["labels"]
      guard labels?["severity"]?.string == "critical", [nil, workload].contains(labels?["workload"]?.string) else {
        continue
      }
      let alertName = labels?["alertname"]?.string ?? "an alert"
      critical.append("\(oneLine(alertName.cut(toBytes: ForeignText.byteLimit))) fires at \(url)")
    }
    return critical
  }
}
