import API
import ArgumentParser
import Config
import Drills
import Fleet
import Redis
import Runtime

/// Says what stands in the way of an upgrade, and how to do it.
struct UpgradeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade", abstract: "Check what an upgrade of servers would meet.",
    discussion:
      "Exits as its subcommand does.\n\nExample: redline upgrade check /etc/redline/redline.yml --workload sessions --to valkey-9.1",
    subcommands: [UpgradeCheckCommand.self])
}

struct UpgradeCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what stands in the way of an upgrade, and print its steps.",
    discussion: """
      Asks the servers of the workload once, with commands that only read: which release runs where, whether the new one reads \
      its files, who can take over, how old the backup is, which modules are loaded, which commands and settings are in use that \
      the new release does not have, and whether the Sentinels' user may do what Valkey 9 asks of it. With --url the daemon \
      says when a backup was verified last. Then it prints the steps with the commands of this workload filled in: replicas \
      first, then a failover that loses no write, then the old master, shard by shard, and the Sentinels. It runs none of them.

      Exits with 0 when nothing is found, with 1 for a finding of the severity --fail-on or a worse one, with 2 when the \
      configuration cannot be used, with 3 when something is unknown or cannot be reached, and with 64 for wrong arguments.

      Example: redline upgrade check /etc/redline/redline.yml --workload sessions --to valkey-9.1
      """)

  @OptionGroup var options: ReportOptions

  @Option(
    help: ArgumentHelp(
      "The release to go to, such as valkey-9.1; without a product, of the one that runs.", valueName: "version"))
  var to: String

  func validate() throws {
    guard ServerRelease(to, usual: .redis) != nil else {
      throw ValidationError("--to is a release such as 8.2, redis-8.2 or valkey-9.1")
    }
  }

  func run() async throws { try await ReportOptions.exit(by: look) }

  private func look() async throws -> Int32 {
    let (config, path) = try options.load()
    guard config.workloads.count == 1, let workload = config.workloads.first else {
      throw ConfigErrors(
        ConfigError(
          .flag("workload"), problem: "is missing",
          hint: "name the one to upgrade: \(config.workloads.map(\.name).joined(separator: ", "))"))
    }
    let backup = try await options.daemon.url.asyncMap { try await lastBackup($0, workload.name) } ?? nil
    let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
    Progress.show("looks at \(workload.name)")
    let (servers, overview) = await FleetSearch.run(config, subject) { fleet in
      let overview = await fleet.overview(of: workload.name).first
      return (await Self.servers(overview, subject), overview)
    }
    Progress.show("")
    let usual = servers.compactMap(\.release).first?.product ?? .redis
    guard let target = ServerRelease(to, usual: usual) else { throw ExitCode(Redline.usageStatus) }
    let check = UpgradeCheck(workload, to: target, servers, backup: backup, now: .now)
    let results = check.results
    print(text(check, results, config, path, overview), terminator: "")
    return options.status(of: results)
  }

  /// Asks all at once.
  private static func servers(_ overview: WorkloadOverview?, _ subject: AccessSubject) async -> [UpgradeServer] {
    let groups = overview?.groups ?? []
    return await withTaskGroup(of: (Int, UpgradeServer).self) { group in
      var place = 0
      for (shard, members) in groups.enumerated() {
        for member in members.members where member.watched.standing != "ghost" {
          let (watched, index) = (member.watched, place)
          place += 1
          group.addTask {
            let server = UpgradeServer(instance: watched.instance, role: watched.role, shard: shard)
            let options = watched.node.poller.options.connection
            return (index, await UpgradeServer.ask(server, options, in: subject.factory.context))
          }
        }
      }
      var found: [(Int, UpgradeServer)] = []
      for await one in group { found.append(one) }
      return found.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// The newest verification of a backup with a verdict that the daemon knows.
  private func lastBackup(_ url: String, _ workload: String) async throws -> CheckReport? {
    let data = try await options.daemon.ask(
      url, "results?workload=\(workload.percentEncoded())&check=backup&limit=20")
    return (data["results"]?.elements ?? []).lazy.compactMap { value -> CheckReport? in
      var json = JSONWriter()
      json.write(value)
      return try? CheckReport(json: json.bytes, now: .now)
    }.first { $0.verdict != .unknown }
  }

  private func text(
    _ check: UpgradeCheck, _ results: [CheckResult], _ config: FleetConfig, _ path: String,
    _ overview: WorkloadOverview?
  ) -> String {
    var marks: String?
    if case .file(let file)? = config.marks?.token { marks = FilledSteps.word(file) }
    let plan = UpgradePlan(check).steps(configuration: FilledSteps.word(path) ?? "redline.yml", marks: marks)
    var filled = overview.map {
      FilledSteps(
        config, path: path, ownAddress: options.daemon.url ?? config.rules?.externalURL ?? DaemonOptions.defaultURL,
        overview: $0)
    }
    let steps = plan.map { step in
      UpgradeText.Step(
        title: step.title, note: step.note,
        commands: filled?.lines(step.commands, about: step.instance) ?? step.commands)
    }
    let text = UpgradeText(
      workload: results.first?.workload ?? "", target: check.target, results: results, steps: steps,
      remarks: filled?.remarks ?? [])
    switch options.format {
    case .text:
      let terminal = OutputTerminal(environment: processEnvironment())
      return MarkdownLines(text.markdown, columns: terminal.columns, hasColours: terminal.paint.hasColours).text
    case .markdown: return text.markdown
    case .json: return text.json
    }
  }
}

extension Optional {
  fileprivate func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
    guard let self else { return nil }
    return try await body(self)
  }
}
