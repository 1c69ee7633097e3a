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

/// Checks what users write, and what they run.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a configuration, rule files, rights on servers, or a whole fleet.",
    discussion: "Exits as its subcommand does.",
    subcommands: [
      CheckConfigCommand.self, CheckAccessCommand.self, CheckRulesCommand.self, CheckFleetCommand.self,
    ])
}

/// Runs tests that users write as files, and tries what the configuration names.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run tests of rules and queries, or try the path to Alertmanager.",
    discussion: "Exits as its subcommand does.",
    subcommands: [TestRulesCommand.self, TestPromQLCommand.self, TestAlertmanagerCommand.self])
}
