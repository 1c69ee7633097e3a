import ArgumentParser

/// Runs tests that users write as files.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run tests of rules and queries.",
    subcommands: [TestRulesCommand.self, TestPromQLCommand.self])
}
