import ArgumentParser

/// The subcommands. Without one, the program is the daemon.
struct Commands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redline",
    abstract: "Monitors Redis for Prometheus.",
    discussion: "Without a subcommand redline runs as the exporter; redline --help lists its flags.",
    version: BuildInfo.version,
    subcommands: [FamiliesCommand.self, FlagsCommand.self, CheckConfigCommand.self, BenchPollCommand.self])
}
