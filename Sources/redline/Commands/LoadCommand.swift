import ArgumentParser
import Config
import Drills
import Fleet
import NIOPosix
import Redis
import Runtime

/// What is done about the load that a workload must bear.
struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Find out whether a workload bears a load.",
    discussion: """
      Exits as its subcommand does.

      Example: redline load run /etc/redline/redline.yml --workload carts --exec ./generate --for 10m
      """,
    subcommands: [PlanLoadCommand.self, RunLoadCommand.self])
}

/// Runs a generator, and judges by probes of its own.
struct RunLoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a generator of load, and judge how the workload bears it.",
    discussion: """
      The generator is yours: redis-benchmark, valkey-benchmark, memtier_benchmark. For ten seconds before it, and while it \
      runs, each server is probed ten times a second on a fixed schedule, so that one that stands still shows in each probe that \
      was due. INFO tells the rest, and the objectives of the workload judge.

      The load is ended when 5 % of commands fail, when memory reaches 90 % of maxmemory, when keys are evicted that must not \
      be, when probes are ten times as slow as before and beyond the objective, and when this machine itself is too late to measure.

      Only a workload with disruptive: allowed, drill.credentials and an environment is touched; where that is production, \
      or not given, --confirm NAME must be given and the name typed on the terminal. The command finds REDLINE_LOAD_WORKLOAD in \
      its environment, and ends with redline, however that ends. Its arguments are on the process list: give it a password by \
      its environment.

      Exits with 0 when the objectives hold, with 1 for a finding of the severity --fail-on or a worse one, with 2 when the \
      configuration cannot be used or a guard refuses, with 3 when something is unknown, such as whether the load was --factor \
      times the peak, and with 64 for wrong arguments.

      Example: redline load run /etc/redline/redline.yml --workload carts --exec ./generate --for 10m
      """)

  @OptionGroup var options: ReportOptions
  @OptionGroup var disruption: DisruptionOptions

  @Option(help: ArgumentHelp("What makes the load, by sh -c.", valueName: "command"))
  var exec: String

  @Option(name: .customLong("for"), help: ArgumentHelp("For how long.", valueName: "duration"))
  var duration: CommandDuration = .init(seconds: 600)

  @Option(
    help: ArgumentHelp(
      "How many times the peak the load must be: that of the last day, which --url tells, or else what is there before.",
      valueName: "factor"))
  var factor = 1.0

  func validate() throws {
    guard (5...3600).contains(duration.seconds) else { throw ValidationError("--for: use 5 s to 60 min") }
    guard factor > 0, factor <= 1000 else {
      throw ValidationError("--factor \(factor): use more than 0 and up to 1000")
    }
  }

  func run() async throws {
    let outcome: LoadOutcome
    let results: ResultsConfig?
    do {
      let pass = try await disruption.pass(
        options, purpose: "Load is about to be put on \(options.workload ?? "").")
      let (config, path) = try options.load()
      results = config.results
      let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
      let members = await FleetSearch.run(config, subject) { await $0.members() }
      let servers = members.filter { $0.role != .sentinel }.map {
        LoadTest.Server(instance: $0.instance, $0.node.poller.options.connection)
      }
      let test = LoadTest(
        pass, servers, command: exec, for: .seconds(duration.seconds), try await rules(pass.workload),
        in: ConnectionContext(group: MultiThreadedEventLoopGroup(numberOfThreads: 1)))
      outcome = try await test.run { Redline.printError("redline: \($0)") }
    } catch let code as ExitCode {
      throw code
    } catch let error as ConfigErrors {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    } catch {
      Redline.printError("redline: \(error)")
      throw ExitCode(ReportOptions.unknownStatus)
    }
    let figures = outcome.results.filter { $0.answer == .ok }.map(\.text) + outcome.remarks
    let text = ReportText(title: "The load on \(outcome.workload)", results: outcome.results, remarks: figures)
    Redline.printNow(text.text(options.format))
    let status = await outcome.report.left(
      in: results, status: options.status(of: outcome.results), daemon: options.daemon)
    if status != 0 { throw ExitCode(status) }
  }

  private func rules(_ workload: WorkloadConfig) async throws -> LoadRules {
    let now = Timestamp(WallTime.now)
    let objectives = workload.objectives(at: now)
    var rules = LoadRules()
    rules.factor = factor
    rules.p99Seconds = objectives.latencyP99.map { $0 / .seconds(1) }
    rules.memoryRatio = objectives.memoryUsedRatio
    rules.lagSeconds = objectives.replicationLag.map { $0 / .seconds(1) }
    rules.areEvictionsAllowed = workload.areEvictionsAllowed(at: now)
    if let url = options.daemon.url {
      let workload = "workload=\"\(workload.name)\""
      let query =
        "max_over_time(sum(rate(redis_commands_processed_total{\(workload)}[2m]) and on (instance) "
        + "redis_instance_role{\(workload),role=\"master\"} == 1)[1d:1m])"
      let data = try? await options.daemon.ask(url, "query?query=\(query.percentEncoded())")
      rules.peakRate = data?["result"]?.elements.first?["value"]?.elements.last?.string.flatMap(Double.init)
        .flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }
    return rules
  }
}
