import ArgumentParser
import Config

/// The subcommands. Without one, the program is the daemon.
struct Commands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redline",
    abstract: "Monitors Redis for Prometheus.",
    discussion: "Without a subcommand redline runs as the exporter; redline --help lists its flags.",
    version: BuildInfo.version,
    subcommands: [
      StatusCommand.self, TopCommand.self, IncidentsCommand.self, RunbookCommand.self, ReportCommand.self,
      ReplayCommand.self, KeysCommand.self, AuditCommand.self, DriftCommand.self, ReadyCommand.self, DrillCommand.self,
      SwitchCommand.self,
      FamiliesCommand.self,
      FlagsCommand.self, ReferenceCommand.self, CheckCommand.self, TestCommand.self, BackupCommand.self,
      LoadCommand.self, UpgradeCommand.self,
      AclCommand.self, BenchPollCommand.self, BenchQueriesCommand.self, QuerySeriesCommand.self,
    ])

  /// A command line with the spellings of today for those of before.
  static func spelledToday(_ words: [String]) -> [String] {
    switch words.first {
    case "check-config": ["check", "config"] + words.dropFirst()
    case "check-access": ["check", "access"] + words.dropFirst()
    default: words
    }
  }

  /// What is wrong with the first word of a command line; nil where it is a subcommand.
  static func complaint(about word: String) -> String? {
    var known = ["help", "check-config", "check-access"]
    for command in configuration.subcommands {
      let subject: CommandConfiguration = command.configuration
      if let name = subject.commandName { known.append(name) }
    }
    guard !word.hasPrefix("-"), !known.contains(word) else { return nil }
    let meant = nearest(to: word, in: known).map { "did you mean \($0)?" } ?? "redline --help lists them"
    return "redline: \(quoted(word)) is no subcommand: \(meant)"
  }

  /// What somebody wants to know who never saw the program.
  static let introduction = """
    Redline watches Redis and Valkey fleets: metrics for Prometheus in the place of redis_exporter, and alerts, pages and an \
    API of its own.

      redline --redis.addr=redis://localhost:6379     watch one server: http://localhost:9121/metrics
      redline --config.file=redline.yml               watch a fleet: http://localhost:9121/
      redline status                                  say how the fleet of a running daemon stands

    What each subcommand takes: redline SUBCOMMAND --help. A first redline.yml is in the README.
    """

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
    discussion: "Exits as its subcommand does.\n\nExample: redline check config /etc/redline/redline.yml",
    subcommands: [
      CheckConfigCommand.self, CheckAccessCommand.self, CheckRulesCommand.self, CheckFleetCommand.self,
    ])
}

/// Runs tests that users write as files, and tries what the configuration names.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run tests of rules and queries, or try the path to Alertmanager.",
    discussion: "Exits as its subcommand does.\n\nExample: redline test alertmanager /etc/redline/redline.yml",
    subcommands: [TestRulesCommand.self, TestPromQLCommand.self, TestAlertmanagerCommand.self])
}
