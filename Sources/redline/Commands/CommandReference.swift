import ArgumentParser

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
    | \(Redline.usageStatus) | the daemon, `acl`, `check access`, `check fleet` | flags, environment or a file that cannot be used |
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
