import ArgumentParser

/// Checks files that users write, without connecting anywhere.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check rule files.",
    discussion: "Exits as its subcommand does.", subcommands: [CheckRulesCommand.self])
}
