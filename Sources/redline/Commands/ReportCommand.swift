import ArgumentParser
import Config
import Fleet
import Runtime
import Web

/// What happened to a workload in a span, for the document after an incident or a peak.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write the report of an incident or of a peak.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL), what it keeps of the span: what happened with the phases \
      of failovers, what it cost, clients before and after, the evidence, who was told what when, and what the runbooks \
      of the alerts that fired ask to be written down, answered as far as is known. After a peak it says, too, how the highest values \
      stand beside the objectives, what was slow, how much is in use and what next year needs. What is not known is said to \
      be unknown; --prometheus is asked for what the daemon does not keep that far back.

      Times are RFC 3339 in UTC or with an offset, a span back from now such as -2h, or now.

      Exits with 0 when no objective was missed in the span, with 1 when one was, of the severity --fail-on or worse, with 2 \
      when there is no such workload or an option cannot be used, with 3 when whether one was missed is not known or the \
      daemon gives no answer, and with 64 for wrong arguments.

      Example: redline report --workload sessions --from 2026-11-30T03:00:00Z --to 2026-11-30T04:00:00Z --format markdown
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, markdown, html, json
  }

  @Option(help: "The workload that it is about.")
  var workload: String

  @Option(
    name: .customLong("from"), parsing: .unconditional,
    help: ArgumentHelp("When the span begins, such as 2026-11-30T03:00:00Z or -2h.", valueName: "time"))
  var begin: String

  @Option(
    name: .customLong("to"), parsing: .unconditional,
    help: ArgumentHelp("When the span ends.", valueName: "time"))
  var end = "now"

  @ArgumentParser.Flag(help: "Report on a peak, also where no peak window was open in the span.")
  var peak = false

  @Option(
    help: ArgumentHelp(
      "How many times as much next year will bring, such as 1.5; by default what the history tells.",
      valueName: "factor"))
  var growth: Double?

  @OptionGroup var daemon: DaemonOptions

  @Option(help: ArgumentHelp("A Prometheus to ask for what the daemon does not keep that far back.", valueName: "url"))
  var prometheus: String?

  @Option(help: ArgumentHelp("The user to log in to Prometheus with.", valueName: "name"))
  var prometheusUser: String?

  @Option(help: ArgumentHelp("The file with that user's password.", valueName: "file"), completion: .file())
  var prometheusPasswordFile: String?

  @Option(
    help: ArgumentHelp("The file with a bearer token for Prometheus.", valueName: "file"), completion: .file())
  var prometheusTokenFile: String?

  @Option(help: "How it is printed: text, markdown, html or json.")
  var format: Format = .text

  @Option(help: "The severity from which on a missed objective makes the command fail: info, warning or critical.")
  var failOn: Finding.Severity = .warning

  func validate() throws {
    _ = try span(now: .now)
    if let growth, !(growth > 0 && growth <= 1000) {
      throw ValidationError("--growth \(growth): use more than 0 and up to 1000, such as 1.5 for half as much again")
    }
    if (prometheusUser == nil) != (prometheusPasswordFile == nil) {
      throw ValidationError("--prometheus-user and --prometheus-password-file belong together")
    }
    if prometheusUser != nil, prometheusTokenFile != nil {
      throw ValidationError("give either --prometheus-user or --prometheus-token-file")
    }
    if prometheus == nil, prometheusUser != nil || prometheusTokenFile != nil {
      throw ValidationError(
        "--prometheus-user, --prometheus-password-file and --prometheus-token-file are for --prometheus")
    }
  }

  private func span(now: WallTime) throws -> ReportSpan {
    do { return try ReportSpan(from: begin, to: end, now: now) } catch { throw ValidationError("\(error)") }
  }

  func run() async throws {
    let report: IncidentReport
    do {
      report = IncidentReport(try await read())
    } catch let failure as DaemonOptions.Failure where failure.isNotFound {
      Redline.printError("redline: \(failure.reason)")
      throw ExitCode(Redline.usageStatus)
    } catch let failure as DaemonOptions.Failure {
      Redline.printError("\(failure)")
      throw ExitCode(ReportOptions.unknownStatus)
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    let page = report.page
    let text =
      switch format {
      case .text: plain(page.markdown)
      case .markdown: page.markdown
      case .html: page.html
      case .json: report.json
      }
    Redline.printNow(KnownSecrets.masked(text, sparesWords: true))
    let status = ReportOptions.status(of: report.results, failOn: failOn)
    if status != 0 { throw ExitCode(status) }
  }

  /// Without the marks that keep Markdown from taking text for its own.
  private func plain(_ markdown: String) -> String {
    let terminal = OutputTerminal(environment: processEnvironment())
    var text = markdown
    for mark in ["\\", "<", "[", "]", "*", "_"] { text = text.replacing("\\\(mark)", with: mark) }
    return MarkdownLines(text, columns: terminal.columns, hasColours: terminal.paint.hasColours).text
  }

  private func read() async throws -> ReportFacts {
    let now = WallTime.now
    let url = daemon.url ?? DaemonOptions.defaultURL
    let reader = try await prometheusReader()
    defer { reader?.close() }
    var report = ReportReader(
      workload: workload, span: try span(now: now), now: now, daemonName: url,
      daemon: { [daemon] target in try await daemon.answer(url, target) })
    if let reader, let prometheus {
      report.prometheus = (prometheus, { target in (try await reader.answer(target), []) })
    }
    (report.isPeakWanted, report.growth) = (peak, growth)
    return try await report.read()
  }

  private func prometheusReader() async throws -> PrometheusReader? {
    guard let prometheus else { return nil }
    return try await PrometheusReader(
      prometheus,
      login: .init(user: prometheusUser, passwordFile: prometheusPasswordFile, tokenFile: prometheusTokenFile))
  }
}
