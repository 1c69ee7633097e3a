import ArgumentParser
import Config
import Runtime

/// The servers of a fleet as a table that renews itself, as `top` shows processes.
struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Show the servers of a fleet, those that are not well and the busiest first.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL), every two seconds until it is interrupted, and \
      shows as many servers as the terminal has room for. Where the output is no terminal, all are printed once.

      \(FleetViewOptions.exits)

      Example: redline top --sort memory
      """)

  @OptionGroup var view: FleetViewOptions

  @Option(help: "What comes first among servers that are equally well: ops, clients, memory, lag or name.")
  var sort: TopText.Order = .ops

  @ArgumentParser.Flag(help: "Show it once, on a terminal too.")
  var once = false

  func run() async throws {
    let isTerminal = OutputTerminal(environment: processEnvironment()).isTerminal
    try await view.show(again: isTerminal && !once) { data, terminal in
      var text = TopText(now: .now, paint: terminal.paint, columns: terminal.columns)
      text.order = sort
      text.rows = once ? nil : terminal.rows
      return text.text(data)
    }
  }
}

extension TopText.Order: ExpressibleByArgument {}
