import ArgumentParser
import Config
import Runtime

/// How the fleet stands, for a terminal: what the start page shows, over the API.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say how the fleet stands: what is wrong, since when, and where.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL). The worst workload comes first; one that is well \
      is a line. Colours are left out where the output is no terminal and where NO_COLOR is set.

      \(FleetViewOptions.exits)

      Example: redline status --workload sessions --watch
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json
  }

  @OptionGroup var view: FleetViewOptions

  @ArgumentParser.Flag(help: "Show it again every two seconds until it is interrupted.")
  var watch = false

  @Option(help: "How it is printed: text or json, as /api/v1/fleet answers.")
  var format: Format = .text

  func run() async throws {
    try await view.show(again: watch) { data, terminal in
      switch format {
      case .json:
        var json = JSONWriter()
        json.write(data)
        return json.text + "\n"
      case .text:
        return StatusText(now: .now, paint: terminal.paint, columns: terminal.columns).text(data)
      }
    }
  }
}

/// Which fleet a command shows, and for how long.
struct FleetViewOptions: ParsableArguments {
  static let exits = """
    Exits with 0 when every workload is healthy, with 1 when the worst is degraded, with 2 when it is critical, with 3 when it \
    is unknown or the daemon gives no answer, and with 64 for wrong arguments.
    """
  private static let unknownStatus: Int32 = 3
  private static let pauseSeconds = 2

  @OptionGroup var daemon: DaemonOptions

  @Option(help: "Only this workload.")
  var workload: String?

  /// Prints what is made of the daemon's answer, and ends with the exit status of the worst workload.
  ///
  /// - Parameter again: every few seconds, until it is interrupted.
  func show(again: Bool, _ text: (JSONValue, OutputTerminal) -> String) async throws {
    var status = await show(clears: again, text)
    while again {
      try await Task.sleep(for: .seconds(Self.pauseSeconds))
      status = await show(clears: true, text)
    }
    if status != 0 { throw ExitCode(status) }
  }

  /// - Returns: the exit status.
  private func show(clears: Bool, _ text: (JSONValue, OutputTerminal) -> String) async -> Int32 {
    let terminal = OutputTerminal(environment: processEnvironment())
    do {
      let target = workload.map { "fleet/\($0.percentEncoded())" } ?? "fleet"
      let data = try await daemon.ask(daemon.url ?? DaemonOptions.defaultURL, target)
      // Nothing of before is left on the screen, and nothing flickers.
      Redline.printNow((clears && terminal.isTerminal ? "\u{1B}[H\u{1B}[2J" : "") + text(data, terminal))
      return StatusText.exitStatus(data)
    } catch {
      Redline.printError("\(error)")
      return error is ConfigErrors ? ExitCode.validationFailure.rawValue : Self.unknownStatus
    }
  }
}
