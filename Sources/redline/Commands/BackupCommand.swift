import ArgumentParser
import Config
import Drills
import Fleet
import Redis
import Runtime

/// What is done with backups.
struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Verify that a backup can be restored, and what it holds.",
    discussion: """
      Exits as its subcommand does.

      Example: redline backup verify /etc/redline/redline.yml --workload carts
      """,
    subcommands: [VerifyBackupCommand.self])
}

/// Loads a backup into a server of its own and says what it holds, how long that takes and what would be lost.
struct VerifyBackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Load a backup into a server of its own, and say what it holds.",
    discussion: """
      The backup is what `backup` of the workload says, or one of --file, --aof, --command and --from-replica. It is copied into a private \
      folder below TMPDIR, or /var/tmp, checked, and loaded by a server without a port, which ends with this command. Keys of \
      each database are counted exactly, those that have expired since among them. The workload's servers are asked for \
      INFO alone; --url has a daemon tell how many keys there were then, and which write was the last.

      A result is left in results.path, where the configuration has one; the next run compares prefixes of keys with it.

      Exits with 0 when the backup is good, with 1 when it is missing, damaged, empty, too old, too slow to load, or not what \
      it was (--fail-on critical lets the last three pass), with 2 when the configuration cannot be used, with 3 when it \
      cannot be judged, such as for want of memory or of a server that may load it, and with 64 for wrong arguments.

      Example: redline backup verify /etc/redline/redline.yml --workload carts --file /backup/carts/dump.rdb
      """)

  @OptionGroup var options: ReportOptions

  @Option(
    name: .customLong("file"), help: ArgumentHelp("The RDB file to verify.", valueName: "file"), completion: .file())
  var backupFile: String?

  @Option(
    help: ArgumentHelp("The folder of an append-only file, with its manifest.", valueName: "folder"),
    completion: .directory)
  var aof: String?

  @Option(
    help: ArgumentHelp(
      "A command line for sh that fetches the backup; {} in it is the path to write to.", valueName: "command"))
  var command: String?

  @ArgumentParser.Flag(
    help: "Have a replica of the workload save its data now: this forks it. A master is never asked.")
  var fromReplica = false

  func validate() throws {
    if [backupFile, aof, command].count(where: { $0 != nil }) + (fromReplica ? 1 : 0) > 1 {
      throw ValidationError("give one of --file, --aof, --command and --from-replica")
    }
    if let command, !command.contains("{}") {
      throw ValidationError("--command does not say where the backup goes: write {} for the path, as in > {}")
    }
  }

  func run() async throws {
    let started = WallTime.now
    let judgement: BackupJudgement
    let results: ResultsConfig?
    do {
      let (config, path) = try options.load()
      let workload = try Self.only(config, options.workload)
      results = config.results
      let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
      let verification = BackupVerification(
        try await source(workload, config, subject), workload.backup, in: subject.factory.context)
      let facts = try await verification.run { Progress.show($0) }
      Progress.show("asks the servers of \(workload.name)")
      let baseline = await BackupBaselineReader(
        workload: workload, config: config, subject: subject, daemon: options.daemon, results: config.results
      ).read(facts)
      Progress.show("")
      judgement = BackupJudgement(
        facts, baseline, workload: workload.name, maxLoad: workload.backup.maxLoad,
        maxAge: workload.objectives.backupAge, now: .now)
    } catch let refusal as ReplicaSource.Refusal {
      Redline.printError("redline: refused: \(refusal)")
      throw ExitCode(Redline.usageStatus)
    } catch let error as ChildError {
      Redline.printError("redline: \(error)")
      throw ExitCode(ReportOptions.unknownStatus)
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    let text = ReportText(
      title: "The backup of \(judgement.workload)", results: judgement.results, remarks: judgement.remarks)
    print(text.text(options.format), terminator: "")
    let status = await keep(judgement, results, since: started)
    if status != 0 { throw ExitCode(status) }
  }

  private static func only(_ config: FleetConfig, _ name: String?) throws(ConfigErrors) -> WorkloadConfig {
    if name == nil, config.workloads.count > 1 {
      throw ConfigErrors(
        ConfigError(.flag("workload"), problem: "is missing", hint: "name the workload whose backup it is"))
    }
    guard let workload = config.workloads.first else {
      throw ConfigErrors(ConfigError(.flag("config.file"), problem: "has no workload"))
    }
    return workload
  }

  private func source(
    _ workload: WorkloadConfig, _ config: FleetConfig, _ subject: AccessSubject
  ) async throws -> BackupSource {
    if fromReplica { return .replica(try await replica(workload.name, config, subject)) }
    if let path = backupFile ?? aof { return .path(path) }
    if let line = command ?? workload.backup.command { return .command(line) }
    if let path = workload.backup.file { return .path(path) }
    throw ConfigErrors(
      ConfigError(
        .flag("file"), problem: "is missing",
        hint: "name the backup with --file, --aof or --command, or in backup of the workload"))
  }

  /// The first replica that answers.
  private func replica(
    _ name: String, _ config: FleetConfig, _ subject: AccessSubject
  ) async throws -> ReplicaSource {
    Progress.show("looks for a replica of \(name)")
    let members = await FleetSearch.run(config.limited { $0.name == name }, subject) { await $0.members() }
    guard let member = members.first(where: { $0.role == .replica && $0.node.poller.newest?.state.isUp == true }) else {
      throw ConfigErrors(
        ConfigError(
          .flag("from-replica"), problem: "finds no replica of \(name) that answers",
          hint: "a master is never forked for this"))
    }
    return ReplicaSource(
      instance: member.instance, member.node.poller.options.connection, in: subject.factory.context)
  }

  /// Leaves the result, and what the next one compares with.
  private func keep(_ judgement: BackupJudgement, _ results: ResultsConfig?, since started: WallTime) async -> Int32 {
    let status = options.status(of: judgement.results)
    if let folder = results?.path, let contents = judgement.facts.contents, contents.keys > 0 {
      do throws(FileProblem) {
        try await LastBackup(at: .now, contents).write(folder, workload: judgement.workload)
      } catch {
        Redline.printError("what the next run compares with is not kept: \(folder) \(error.reason)")
      }
    }
    return await judgement.report(since: started).left(
      in: results, status: status, daemon: options.daemon)
  }
}
