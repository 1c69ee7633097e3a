import ArgumentParser
import Config
import Fleet

/// Polls a fleet once and says what its checks find.
struct CheckFleetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet", abstract: "Poll a fleet once and print what its checks find.",
    discussion: """
      Members are found as the daemon finds them, and every check of the catalogue judges them. What only the history \
      of a running daemon could tell, such as a hit ratio or a flush, is not found; --url asks the daemon itself. Only what is wrong or unknown is \
      printed; --format json has every answer.

      Exits with 0 when nothing is found, with 1 for a finding of the severity --fail-on or a worse one, with 2 when \
      the configuration cannot be used, with 3 when something is unknown or cannot be reached, and with 64 for wrong \
      arguments.

      Example: redline check fleet /etc/redline/redline.yml --fail-on critical --format markdown
      """)

  @OptionGroup var options: ReportOptions

  func run() async throws {
    let results: [CheckResult]
    let title: String
    do {
      if let url = options.daemon.url {
        title = "What the checks of \(url) find"
        results = try await options.daemon.checkResults(url, workload: options.workload)
      } else {
        let (config, path) = try options.load()
        let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
        title = "What the checks of \(path) find"
        results = await FleetSearch.run(config, subject) { await $0.checkResults() }
      }
    } catch let failure as DaemonOptions.Failure {
      Redline.printError("\(failure)")
      throw ExitCode(ReportOptions.unknownStatus)
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    print(ReportText(title: title, results: results).text(options.format), terminator: "")
    let status = options.status(of: results)
    if status != 0 { throw ExitCode(status) }
  }
}
