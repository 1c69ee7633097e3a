import ArgumentParser

/// Checks what users write, and what they run.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a configuration, rule files, rights on servers, or a whole fleet.",
    discussion: "Exits as its subcommand does.",
    subcommands: [
      CheckConfigCommand.self, CheckAccessCommand.self, CheckRulesCommand.self, CheckFleetCommand.self,
    ])
}
