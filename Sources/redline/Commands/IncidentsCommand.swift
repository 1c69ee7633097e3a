import ArgumentParser
import Config
import Runtime

/// What begins and what ends, line by line: for a terminal that stays open.
struct IncidentsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incidents", abstract: "Print a line for each alert that begins or ends, and first those that fire.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL), every two seconds until it is interrupted. A line has \
      the time, the severity, the workload, what is wrong, since when, and the address of the page that shows it.

      Exits with 1 when the daemon gives no answer at first or evaluates no rules; later it waits until there is one. Exits \
      with 64 for wrong arguments.

      Example: redline incidents --url http://redline.example:9121
      """)

  @OptionGroup var daemon: DaemonOptions

  private static let pauseSeconds = 2

  func run() async throws {
    let url = daemon.url ?? DaemonOptions.defaultURL
    var page = url[...]
    while page.hasSuffix("/") { page.removeLast() }
    var tracker = IncidentTracker(url: String(page), paint: Paint(environment: processEnvironment()))
    var isSilent = false
    var hasAnswered = false
    while true {
      do {
        let alerts = try await daemon.ask(url, "alerts")
        if isSilent { Redline.printNow("\(IncidentTracker.clock(.now))  The daemon answers again.\n") }
        (isSilent, hasAnswered) = (false, true)
        for line in tracker.lines(alerts, now: .now) { Redline.printNow(line + "\n") }
      } catch {
        guard hasAnswered else {
          Redline.printError("\(error)")
          throw error is ConfigErrors ? ExitCode.validationFailure : ExitCode.failure
        }
        if !isSilent { Redline.printNow("\(IncidentTracker.clock(.now))  \(error)\n") }
        isSilent = true
      }
      try await Task.sleep(for: .seconds(Self.pauseSeconds))
    }
  }
}
