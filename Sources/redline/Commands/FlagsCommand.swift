import ArgumentParser
import Config

/// Prints the reference of the exporter's flags as a Markdown table.
struct FlagsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flags", abstract: "Print the exporter's flags as a Markdown table.",
    discussion: "Exits with 0.\n\nExample: redline flags")

  func run() {
    print(Flags.markdownTable())
  }
}
