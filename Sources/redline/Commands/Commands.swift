import ArgumentParser

/// The subcommands. Without one, the program is the daemon.
struct Commands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redline",
    abstract: "Monitors Redis for Prometheus.",
    discussion: "Without a subcommand redline runs as the exporter; redline --help lists its flags.",
    version: BuildInfo.version,
    subcommands: [
      FamiliesCommand.self, FlagsCommand.self, ReferenceCommand.self, CheckConfigCommand.self, CheckCommand.self,
      TestCommand.self,
      AclCommand.self, CheckAccessCommand.self, BenchPollCommand.self, BenchQueriesCommand.self,
      QuerySeriesCommand.self,
    ])

  /// The subcommands that are for users, a line for each.
  static var list: String {
    var lines: [String] = []
    for command in configuration.subcommands {
      let subject: CommandConfiguration = command.configuration
      if subject.shouldDisplay { lines.append("  redline \(subject.commandName ?? "")\n        \(subject.abstract)") }
    }
    return lines.joined(separator: "\n")
  }
}
