import ArgumentParser
import Fleet
import Metrics

/// Prints every family that the program can export, as tab-separated name, type and labels.
struct FamiliesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "families", abstract: "List every metric family with its type and labels.",
    discussion: "Exits with 0.\n\nExample: redline families --help-texts")

  @Flag(help: "Add the help text as a fourth column.")
  var helpTexts = false

  func run() {
    let exposition = Exposition()
    let lines = FamilyCatalogue.all.map { family in
      ([exposition.fullName(of: family), family.type.rawValue, family.labelNames.joined(separator: ",")]
        + (helpTexts ? [family.help] : [])).joined(separator: "\t")
    }
    for line in lines.sorted() { print(line) }
  }
}
