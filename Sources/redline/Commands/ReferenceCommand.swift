import ArgumentParser
import Config

/// Prints the references of `deploy/docs/reference/`, made of the code that they are about.
struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Print a reference as Markdown: flags, configuration, metrics or cli.",
    discussion: "Exits with 0.")

  enum Subject: String, CaseIterable, ExpressibleByArgument {
    case flags, configuration, metrics, cli

    var text: String {
      switch self {
      case .flags: Flags.referenceText
      case .configuration: FleetConfig.referenceText
      case .metrics: MetricReference.text
      case .cli: CommandReference.text
      }
    }
  }

  @Argument(help: "What about: flags, configuration, metrics or cli.")
  var subject: Subject

  func run() {
    print(subject.text)
  }
}
