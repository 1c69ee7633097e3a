import ArgumentParser
import Config
import Fleet
import Metrics

/// Prints the references of `deploy/docs/reference/`, made of the code that they are about.
struct ReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Print a reference as Markdown: flags, configuration, metrics or cli.",
    discussion: "Exits with 0.\n\nExample: redline reference metrics")

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

/// The reference of subcommands: what each says of itself with --help.
enum CommandReference {
  static var text: String {
    """
    # Command reference

    What each subcommand says of itself with `--help`, as `redline reference cli` prints it. Without a subcommand redline \
    is the daemon, with the [flags](flags.md) of the exporter.

    | exit code | of | means |
    |---|---|---|
    | 0 | all | done; of the daemon, that it was asked to stop |
    | 1 | the daemon | it could not start, such as on a port that is taken |
    | 1, 3 | subcommands | as each tells below |
    | \(Redline.usageStatus) | the daemon, `acl`, `check access`, `check fleet`, `switch check` | flags, environment or a file that cannot be used |
    | \(ExitCode.validationFailure.rawValue) | subcommands | a command line that is not understood |

    \(sections(of: Commands.self, path: ["redline"]).joined(separator: "\n\n"))
    """
  }

  private static func sections(of command: any ParsableCommand.Type, path: [String]) -> [String] {
    var sections: [String] = []
    for child in command.configuration.subcommands where child.configuration.shouldDisplay {
      let path = path + [child.configuration.commandName ?? ""]
      let help = Commands.helpMessage(for: child, columns: 110)
      sections.append("## `\(path.joined(separator: " "))`\n\n```text\n\(trimmed(help))\n```")
      sections += self.sections(of: child, path: path)
    }
    return sections
  }

  /// Without line breaks at the end and spaces at the end of lines.
  private static func trimmed(_ text: String) -> String {
    var lines: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.lastIndex { $0 != " " }.map { line[...$0] } ?? ""
    }
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n")
  }
}

/// The reference of metrics: what the catalogue holds, by what it comes from.
enum MetricReference {
  static var text: String {
    (["# Metric reference", "", introduction] + FamilyCatalogue.groups.flatMap(section)).joined(separator: "\n")
  }

  private static let introduction = """
    Every family that redline exports, as `redline reference metrics` prints it from the code that exports it; \
    `redline families --help-texts` is the same for programs. `redis` is what `--namespace` says. Beside the labels \
    below, histograms have `le` and summaries `quantile`, and series of a fleet's members carry `workload`, `instance` \
    and, where given, `environment`. What a meaning has in brackets is the field or command that it comes from; what a \
    server does not send is absent. A field of INFO whose name begins with `cluster_` and that is not listed is exported \
    as a gauge of that name.
    """

  private static func section(_ group: FamilyGroup) -> [String] {
    let exposition = Exposition()
    let hasFlags = group.families.contains { !$0.flag.isEmpty }
    let hasVersions = group.families.contains { !$0.since.isEmpty }
    var heads = ["metric", "type", "labels", "meaning"]
    if hasVersions { heads.append("since") }
    if hasFlags { heads.append("only with") }
    let rows = group.families.map { family in
      var cells = [
        "`\(exposition.fullName(of: family))`", family.type.rawValue,
        family.labelNames.map { "`\($0)`" }.joined(separator: ", "), family.help,
      ]
      if hasVersions { cells.append(family.since) }
      if hasFlags { cells.append(family.flag) }
      return row(cells)
    }
    return ["", "## \(group.title)", "", group.condition, "", row(heads), row(heads.map { _ in "---" })] + rows
  }

  private static func row(_ cells: [String]) -> String {
    "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
  }
}
