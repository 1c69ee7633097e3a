import Alerting
import ArgumentParser
import Config
import Metrics
import Runtime

/// What goes before a switch from redis_exporter.
struct SwitchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "switch", abstract: "Prove that nothing is lost by a switch from redis_exporter.",
    discussion: "Exits as its subcommand does.\n\nExample: redline switch check --prometheus http://prometheus:9090",
    subcommands: [SwitchCheckCommand.self])
}

/// Holds the user's rules and dashboards against both exporters, before one takes the other's place.
struct SwitchCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say what a switch from redis_exporter changes for your rules and dashboards.",
    discussion: """
      Reads the rules that Prometheus has loaded, and dashboards from files as Grafana exports them; says for each of \
      their selectors whether the same series, labels and types will be there; and replays the rules over the last days, \
      with redis_exporter's series and with Redline's. Start Redline beside redis_exporter, on another port and with the \
      same flags, and give the pages of both, of the same server. Without --exporter, what Prometheus has of \
      redis_exporter is taken; without --redline, what it has of a Redline, or else what Redline can export, without \
      the values of labels. It changes nothing, and asks Prometheus one query at a time.

      Exits with 0 when nothing is lost, with 1 when series are lost or a rule changes its verdict, with 2 when an \
      argument or a dashboard cannot be used, with 3 when something could not be judged or asked, and with 64 for wrong \
      arguments.

      Example: redline switch check --prometheus http://prometheus:9090 --exporter http://cache-1:9121 \
      --redline http://cache-1:9122 --dashboard redis.json
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @Option(help: ArgumentHelp("The Prometheus that has the rules and scrapes redis_exporter.", valueName: "url"))
  var prometheus: String

  @Option(
    help: ArgumentHelp(
      "redis_exporter's page: http://host:9121, or http://host:9121/scrape?target=redis://other:6379.",
      valueName: "url"))
  var exporter: String?

  @Option(help: ArgumentHelp("Redline's page of the same server.", valueName: "url"))
  var redline: String?

  @Option(
    help: ArgumentHelp("A dashboard as Grafana exports it; may be repeated.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var dashboard: [String] = []

  @Option(help: "Over how many days the rules are replayed: 0 to 30.")
  var days = 3

  @Option(help: "What the --namespace of both exporters is.")
  var namespace = "redis"

  @Option(help: ArgumentHelp("The user to log in to Prometheus with.", valueName: "name"))
  var prometheusUser: String?

  @Option(help: ArgumentHelp("The file with that user's password.", valueName: "file"), completion: .file())
  var prometheusPasswordFile: String?

  @Option(
    help: ArgumentHelp("The file with a bearer token for Prometheus.", valueName: "file"), completion: .file())
  var prometheusTokenFile: String?

  @Option(help: ArgumentHelp("The user to log in to the exporters' pages with.", valueName: "name"))
  var pageUser: String?

  @Option(help: ArgumentHelp("The file with that user's password.", valueName: "file"), completion: .file())
  var pagePasswordFile: String?

  @Option(
    help: ArgumentHelp(
      "The file with the certificates that may have signed theirs; by default the system's.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Option(help: "How it is printed: text or json.")
  var format: Format = .text

  private static let unknownStatus: Int32 = 3
  private static let dashboardBytes = 32 << 20

  func validate() throws {
    guard (0...30).contains(days) else { throw ValidationError("--days \(days): use 0 to 30; 0 replays nothing") }
    if (prometheusUser == nil) != (prometheusPasswordFile == nil) {
      throw ValidationError("--prometheus-user and --prometheus-password-file belong together")
    }
    if prometheusUser != nil, prometheusTokenFile != nil {
      throw ValidationError("give either --prometheus-user or --prometheus-token-file")
    }
    if (pageUser == nil) != (pagePasswordFile == nil) {
      throw ValidationError("--page-user and --page-password-file belong together")
    }
  }

  func run() async throws {
    let report: SwitchReport
    do {
      report = try await judge()
    } catch let failure as AskedServer.Failure {
      Progress.show("")
      Redline.printError("\(failure)")
      throw ExitCode(Self.unknownStatus)
    } catch {
      Progress.show("")
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    Progress.show("")
    switch format {
    case .text: Redline.printNow(KnownSecrets.masked(report.text()))
    case .json: Redline.printNow(KnownSecrets.masked(report.json))
    }
    if report.status != 0 { throw ExitCode(report.status) }
  }

  private func judge() async throws -> SwitchReport {
    let reader = try await PrometheusReader(
      prometheus,
      login: .init(
        user: prometheusUser, passwordFile: prometheusPasswordFile, tokenFile: prometheusTokenFile, caFile: caFile))
    defer { reader.close() }
    let dialect = try await reader.dialect()
    let dashboards = try dashboard.map { file in
      try GrafanaDashboard(try readFile(file, limitBytes: Self.dashboardBytes), file: file, dialect: dialect)
    }
    let rules = try await reader.rules(dialect)
    let pages = try await ExporterPage.both(
      exporter: exporter, redline: redline,
      login: .init(user: pageUser, passwordFile: pagePasswordFile, caFile: caFile),
      namespace: namespace)
    let now = WallTime.now.epochMs
    let reading = SwitchReading(prometheus: reader, namespace: namespace, progress: Progress.show)
    let targets = try await reading.targets(atMilliseconds: now)
    let comparison = try await comparison(pages, targets, reading, atMilliseconds: now)
    let check = SwitchCheck(comparison: comparison, targets: targets, rules: rules, dashboards: dashboards)
    let replay = days == 0 ? nil : try await reading.replay(check, days: days, nowMilliseconds: now)
    return SwitchReport(check, dashboards: dashboards.count, replay: replay)
  }

  private func comparison(
    _ pages: (old: ServedSeries?, new: ServedSeries?), _ targets: [SwitchTarget], _ reading: SwitchReading,
    atMilliseconds now: Int64
  ) async throws -> SeriesComparison {
    let paired = targets.filter { target in
      target.runID != nil && targets.contains { $0.runID == target.runID && $0.isRedline != target.isRedline }
    }
    var (old, new) = pages
    if old == nil {
      let runIDs = new?.values(of: "run_id", in: "\(namespace)_instance_info") ?? []
      let candidates = (new == nil ? paired : targets).filter { !$0.isRedline }
      let ofPage = candidates.filter { $0.runID.map(runIDs.contains) ?? false }
      let chosen = !ofPage.isEmpty ? ofPage : !candidates.isEmpty ? candidates : targets.filter { !$0.isRedline }
      guard !chosen.isEmpty else {
        throw AskedServer.Failure(
          description:
            "Prometheus scrapes no redis_exporter: it has no series \(namespace)_up of one; give its page by --exporter"
        )
      }
      old = try await reading.served(by: chosen, atMilliseconds: now)
    }
    if new == nil, let old {
      let runIDs = old.values(of: "run_id", in: "\(namespace)_instance_info")
      let beside = targets.filter { $0.isRedline && $0.runID.map(runIDs.contains) ?? false }
      if !beside.isEmpty { new = try await reading.served(by: beside, atMilliseconds: now) }
    }
    let exposition = Exposition(namespace: namespace)
    let flags = Dictionary(FamilyCatalogue.all.map { (exposition.fullName(of: $0), $0.flag) }) { first, _ in first }
    return SeriesComparison(
      old: old ?? ServedSeries(), new: new, catalogue: RuleCatalogue.make(namespace: namespace), flags: flags,
      namespace: namespace)
  }
}
