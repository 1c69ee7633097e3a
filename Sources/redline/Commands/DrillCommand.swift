import ArgumentParser
import Config
import Drills
import Fleet
import NIOPosix
import Redis
import Runtime
import UnixSignals

/// Fails a master over on purpose, and says what that cost.
struct DrillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drill", abstract: "Break the master of a workload on purpose, and measure what that costs.",
    discussion: """
      Four canary writers find the master as a good client does, and every write that is acknowledged goes into a ledger on \
      disk. Then the fault: planned (a handover that must lose nothing), hang (CLIENT PAUSE ALL, with Sentinels only), kill or \
      exec (what --exec does; it finds REDLINE_DRILL_HOST, _PORT, _RUN_ID and _WORKLOAD in its environment). When all has \
      gone well again for --stable, every acknowledged write is read back.

      Only a workload with disruptive: allowed, drill.credentials and an environment is touched; where that is production, \
      or not given, --confirm NAME must be given and the name typed on the terminal. Ctrl-C undoes what can be undone and \
      waits for recovery. The keys redline:canary:RUN:* and a pause end by themselves if redline is killed.

      Exits with 0 when nothing is found, with 1 for a finding of the severity --fail-on or a worse one, with 2 when the \
      configuration cannot be used, a guard refuses or the workload is not steady, with 3 when something is unknown, such as after \
      an interrupt, and with 64 for wrong arguments.

      Example: redline drill /etc/redline/redline.yml --workload sessions --fault planned
      """)

  @OptionGroup var options: ReportOptions
  @OptionGroup var disruption: DisruptionOptions

  @Option(help: "What is broken: planned, hang, kill or exec.")
  var fault: DrillFault

  @Option(help: ArgumentHelp("What kill and exec run, by sh -c.", valueName: "command"))
  var exec: String?

  @Option(help: ArgumentHelp("For how long no write may be acknowledged.", valueName: "duration"))
  var maxUnavailable: CommandDuration = .init(seconds: 30)

  @Option(help: ArgumentHelp("How many acknowledged writes may be lost.", valueName: "count"))
  var maxLost = 0

  @Option(help: ArgumentHelp("How long canaries write before the fault.", valueName: "duration"))
  var before: CommandDuration = .init(seconds: 10)

  @Option(help: ArgumentHelp("How long all must have gone well again.", valueName: "duration"))
  var stable: CommandDuration = .init(seconds: 30)

  @Option(help: ArgumentHelp("How long recovery is waited for.", valueName: "duration"))
  var limit: CommandDuration = .init(seconds: 120)

  @Option(help: ArgumentHelp("Canary writes per second, 4 to 4000.", valueName: "count"))
  var rate = 1000

  @Option(
    help: ArgumentHelp(
      "Of a cluster, the master that is broken; by default that of the first slots.", valueName: "host:port"))
  var master: String?

  @Option(
    help: ArgumentHelp(
      "A new file for the ledger, which then stays; by default one of TMPDIR that stays if writes were lost.",
      valueName: "file"))
  var ledger: String?

  @ArgumentParser.Flag(help: "Leave the ledger, and leave the keys to their own end, for a look of your own.")
  var keep = false

  func validate() throws {
    if fault == .planned || fault == .hang, exec != nil {
      throw ValidationError("--exec is for --fault kill and --fault exec")
    }
    if fault == .exec, exec == nil { throw ValidationError("--fault exec needs --exec") }
    guard DrillSettings.rates.contains(rate) else { throw ValidationError("--rate \(rate): use 4 to 4000") }
    guard maxLost >= 0 else { throw ValidationError("--max-lost \(maxLost): use 0 or more") }
    for (name, duration, range) in [
      ("max-unavailable", maxUnavailable, 0.0...600), ("before", before, 1...600), ("stable", stable, 1...600),
      ("limit", limit, 5...600),
    ] where !range.contains(duration.seconds) {
      throw ValidationError("--\(name): use \(Int(range.lowerBound)) s to \(Int(range.upperBound / 60)) min")
    }
    if let master, NodeAddress(command: master) == nil { throw ValidationError("--master \(master): use host:port") }
  }

  func run() async throws {
    let outcome: DrillOutcome
    do {
      let pass = try await disruption.pass(
        options, purpose: "The master of \(options.workload ?? "") is about to be broken (\(fault.rawValue)).")
      let settings = try settings(pass.workload)
      outcome = try await drill(pass, settings)
    } catch let refusal as DrillRefusal {
      for reason in refusal.reasons { Redline.printError("redline: not begun: \(reason)") }
      throw ExitCode(refusal.isUnknown ? ReportOptions.unknownStatus : Redline.usageStatus)
    } catch let failure as DaemonOptions.Failure {
      Redline.printError("\(failure)")
      throw ExitCode(ReportOptions.unknownStatus)
    } catch let code as ExitCode {
      throw code
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    let text = DrillText(outcome)
    switch options.format {
    case .text: Redline.printNow(text.plain)
    case .markdown: Redline.printNow(text.markdown)
    case .json: Redline.printNow(text.json)
    }
    var status = options.status(of: outcome.results)
    if outcome.hasFault {
      let config = (options.file ?? options.configFile).flatMap { try? FleetConfig.load($0) }
      status = await outcome.report.left(in: config?.results, status: status, daemon: options.daemon)
    }
    if status != 0 { throw ExitCode(status) }
  }

  private func settings(_ workload: WorkloadConfig) throws -> DrillSettings {
    var settings = DrillSettings(fault: fault)
    settings.command = exec ?? workload.drill?.command
    if fault == .kill, settings.command == nil {
      throw DrillRefusal(["--fault kill needs --exec, or drill.exec of \(workload.name), which ends the master"])
    }
    settings.maxUnavailableSeconds = maxUnavailable.seconds
    settings.maxLost = maxLost
    settings.beforeSeconds = before.seconds
    settings.stableSeconds = stable.seconds
    settings.limitSeconds = limit.seconds
    settings.writesPerSecond = rate
    settings.master = master.flatMap { NodeAddress(command: $0) }
    settings.ledgerPath = ledger
    settings.keepsKeys = keep
    return settings
  }

  private func drill(_ pass: GuardPass, _ settings: DrillSettings) async throws -> DrillOutcome {
    let interruption = Interruption()
    // A terminal that is closed must not leave the fault to itself.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    let listening = Task { for await _ in signals { interruption.note() } }
    defer { listening.cancel() }
    let (daemon, name) = (options.daemon, pass.workload.name)
    var daemonCost: (@Sendable (WallTime) async -> Failover.Cost?)?
    if let url = daemon.url { daemonCost = { await DaemonFailovers.cost(daemon, url, of: name, since: $0) } }
    let drill = FailoverDrill(
      pass, settings, connections: ConnectionContext(group: MultiThreadedEventLoopGroup(numberOfThreads: 2)),
      environment: processEnvironment(), interruption: interruption, say: { Redline.printError("redline: \($0)") },
      daemonCost: daemonCost)
    return try await drill.run()
  }
}

extension DrillFault: ExpressibleByArgument {}

/// A duration as a flag has it: `30s`, `2m`.
struct CommandDuration: ExpressibleByArgument {
  let seconds: Double

  init(seconds: Double) { self.seconds = seconds }

  init?(argument: String) {
    guard let duration = DurationSyntax.go.parse(argument), duration >= .zero else { return nil }
    seconds = duration / .seconds(1)
  }

  var defaultValueDescription: String { "\(Int(clamping: seconds))s" }
}

extension NodeAddress {
  /// `host:port` of a command line.
  fileprivate init?(command text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
    self.init(host: host, port: String(text[text.index(after: colon)...]))
  }
}

/// What a daemon knows of failovers.
enum DaemonFailovers {
  /// What the newest failover of a workload since a moment cost, as far as the daemon knows it by now.
  static func cost(
    _ daemon: DaemonOptions, _ url: String, of workload: String, since: WallTime
  ) async -> Failover.Cost? {
    // The daemon may count it a little before it was asked for, by its own clock.
    let from = Int64(clamping: (since.seconds - 5).rounded())
    let data = try? await daemon.ask(
      url, "events?workload=\(workload.percentEncoded())&kind=failover&from=\(from)")
    guard let event = data?["events"]?.elements.first else { return nil }
    guard let known = ReportEvent(event)?.failover else { return nil }
    return Failover.Cost(
      outageSeconds: known.outageSeconds, lostBytes: known.lostBytes.flatMap { loss($0) },
      lostWrites: known.lostWrites.flatMap { loss($0) })
  }

  private static func loss(_ loss: ReportEvent.Loss) -> Failover.Loss? {
    loss.most == loss.least ? .exactly(loss.least) : .estimated(loss.least, loss.most)
  }
}
