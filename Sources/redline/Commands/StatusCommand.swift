import ArgumentParser
import Config
import Glibc
import Runtime

/// How the fleet stands, for a terminal: what the start page shows, over the API.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say how the fleet stands: what is wrong, since when, and where.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL). The worst workload comes first; one that is well is a line. \
      Colours are left out where the output is no terminal and where NO_COLOR is set.

      Exits with 0 when every workload is healthy, with 1 when the worst is degraded, with 2 when it is critical, with 3 \
      when it is unknown or the daemon gives no answer, and with 64 for wrong arguments.

      Example: redline status --workload sessions --watch
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @OptionGroup var daemon: DaemonOptions

  @Option(help: "Only this workload.")
  var workload: String?

  @ArgumentParser.Flag(help: "Show it again every two seconds until it is interrupted.")
  var watch = false

  @Option(help: "How it is printed: text or json, as /api/v1/fleet answers.")
  var format: Format = .text

  private static let unknownStatus: Int32 = 3
  private static let pauseSeconds = 2

  func run() async throws {
    var status = await show()
    while watch {
      try await Task.sleep(for: .seconds(Self.pauseSeconds))
      status = await show()
    }
    if status != 0 { throw ExitCode(status) }
  }

  /// - Returns: the exit status.
  private func show() async -> Int32 {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let environment = processEnvironment()
    // Nothing of before is left on the screen, and nothing flickers.
    let start = watch && isTerminal ? "\u{1B}[H\u{1B}[2J" : ""
    do {
      let data = try await daemon.ask(
        daemon.url ?? DaemonOptions.defaultURL, workload.map { "fleet/\($0.percentEncoded())" } ?? "fleet")
      switch format {
      case .json:
        var json = JSONWriter()
        json.write(data)
        Redline.printNow(start + json.text + "\n")
      case .text:
        let columns = environment["COLUMNS"].flatMap { Int($0) } ?? 80
        Redline.printNow(
          start + StatusText(now: .now, paint: Paint(environment: environment), columns: columns).text(data))
      }
      return StatusText.exitStatus(data)
    } catch {
      Redline.printError("\(error)")
      return error is ConfigErrors ? ExitCode.validationFailure.rawValue : Self.unknownStatus
    }
  }
}
