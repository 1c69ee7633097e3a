import ArgumentParser
import Config
import Fleet
import Logging

/// Reads a fleet's configuration file and all that a start reads with it, and says what is wrong, without connecting
/// anywhere.
struct CheckConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check a fleet's configuration file, and what it names.",
    usage: "redline check config <file> [--print] [FLAGS]",
    discussion: """
      Reads what a start reads and refuses what a start refuses: the file, the rule files that it names and, with the \
      flags that the daemon is started with, the files of passwords, certificates, web configuration and scripts that \
      they name. Files of known faults, which the audit reads, must be good as well. What only a start can find out is not looked at: whether the port is free and the storage can be opened.

      With --shard, as the daemon has it, it says which shard watches which workloads.

      Exits with 0 when all of it can be used, and with 1 after printing every error as file:line:column.

      Example: redline check config /etc/redline/redline.yml --print
      """)

  @Argument(help: "The configuration file.", completion: .file(extensions: ["yml", "yaml"]))
  var file: String

  @ArgumentParser.Flag(help: "Print the configuration with everything filled in and secrets hidden.")
  var print = false

  @Argument(
    parsing: .allUnrecognized, help: ArgumentHelp("Flags that the daemon is started with.", valueName: "flags"))
  var flags: [String] = []

  private static let log = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }

  func run() async throws {
    let fleet: FleetConfig
    do {
      let environment = processEnvironment()
      guard
        case .run(let options) = try Invocation.parse(["--config.file=\(file)"] + flags, environment: environment),
        let loaded = try await StartupFiles.read(options, environment: environment, log: Self.log).fleet
      else { throw ConfigErrors(ConfigError(.commandLine, problem: "starts no daemon", hint: "leave --version out")) }
      fleet = loaded.config
      let errors = await AdvisoryFile.errors(in: fleet)
      if !errors.isEmpty { throw ConfigErrors(errors) }
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(1)
    }
    let shares = (fleet.share?.lines ?? []).map { "\n\($0)" }.joined()
    Swift.print(
      print ? fleet.resolvedText : "\(file): good; \(fleet.summary)\(shares)", terminator: print ? "" : "\n")
  }
}
