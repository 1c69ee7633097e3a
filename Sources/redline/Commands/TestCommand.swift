import ArgumentParser

/// Runs tests that users write as files.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run tests of queries.", subcommands: [TestPromQLCommand.self])
}
