import ArgumentParser

/// Runs tests that users write as files, and tries what the configuration names.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run tests of rules and queries, or try the path to Alertmanager.",
    discussion: "Exits as its subcommand does.",
    subcommands: [TestRulesCommand.self, TestPromQLCommand.self, TestAlertmanagerCommand.self])
}
