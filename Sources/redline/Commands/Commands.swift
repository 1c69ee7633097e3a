import ArgumentParser

/// The subcommands. Without one, the program is the daemon.
struct Commands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redline",
    abstract: "Monitors Redis for Prometheus.",
    discussion: "Without a subcommand redline runs as the exporter; redline --help lists its flags.",
    version: BuildInfo.version,
    subcommands: [
      FamiliesCommand.self, FlagsCommand.self, ReferenceCommand.self, CheckCommand.self, TestCommand.self,
      AclCommand.self, BenchPollCommand.self, BenchQueriesCommand.self,
      QuerySeriesCommand.self,
    ])

  /// A command line with the spellings of today for those of before.
  static func spelledToday(_ words: [String]) -> [String] {
    switch words.first {
    case "check-config": ["check", "config"] + words.dropFirst()
    case "check-access": ["check", "access"] + words.dropFirst()
    default: words
    }
  }

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
