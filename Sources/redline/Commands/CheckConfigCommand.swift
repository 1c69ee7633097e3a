import Alerting
import ArgumentParser
import Config
import Fleet

/// Reads a fleet's configuration file and says what is wrong with it, without connecting anywhere.
struct CheckConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check a fleet's configuration file.",
    discussion: "Exits with 0 when the file can be used, and with 1 after printing every error as file:line:column.")

  @Argument(help: "The configuration file.", completion: .file(extensions: ["yml", "yaml"]))
  var file: String

  @ArgumentParser.Flag(help: "Print the configuration with everything filled in and secrets hidden.")
  var print = false

  func run() throws {
    let fleet: FleetConfig
    do throws(ConfigErrors) {
      fleet = try FleetConfig.load(file)
      if let alerting = fleet.alerting { try Notifier.check(alerting, file: file) }
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(1)
    }
    Swift.print(print ? fleet.resolvedText : "\(file): good; \(fleet.summary)", terminator: print ? "" : "\n")
  }
}
