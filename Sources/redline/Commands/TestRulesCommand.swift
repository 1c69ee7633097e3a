import Alerting
import ArgumentParser
import Config
import PromQL

/// Runs unit tests of rules in promtool's format.
struct TestRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Run unit tests of rules, in promtool's format.",
    discussion:
      "Exits with 1 when a test failed or a file cannot be read.\n\nExample: redline test rules alerts/tests/*.yml --run Memory"
  )

  @Argument(help: "The files of tests.", completion: .file(extensions: ["yml", "yaml"]))
  var files: [String]

  @Option(name: .customLong("run"), help: "Run only tests whose name matches this expression; may be repeated.")
  var patterns: [String] = []

  @Option(help: "Whose results to expect: 2.x is Prometheus 2.42, 3.x is Prometheus 3.")
  var dialect = Dialect.prometheus3

  func run() throws {
    let wanted = try patterns.map { pattern in
      do throws(RegexError) {
        return try PromQL.Regex(pattern)
      } catch {
        throw ValidationError("--run: \(error)")
      }
    }
    print("Unit Testing:")
    var hasFailed = false
    for file in files {
      print("  \(file)")
      do throws(ConfigErrors) {
        let tests = try RuleUnitTests.load(file, dialect: dialect)
        for remark in tests.remarks { Redline.printError("  WARNING: \(remark)") }
        let failures = tests.run { name in wanted.isEmpty || wanted.contains { $0.matchesAnywhere(in: name) } }
        if failures.isEmpty {
          print("  SUCCESS\n")
        } else {
          hasFailed = true
          Redline.printError("  FAILED:\n\(failures.map(\.description).joined(separator: "\n"))\n")
        }
      } catch {
        hasFailed = true
        Redline.printError("  FAILED:\n\(error)\n")
      }
    }
    if hasFailed { throw ExitCode(1) }
  }
}
