import ArgumentParser
import Config
import PromQL

/// Runs scripts of Prometheus' PromQL test language and prints a line for each eval that failed.
struct TestPromQLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promql", abstract: "Run scripts of Prometheus' PromQL test language.",
    discussion: """
      Prints a line for each eval that failed and how many passed, failed and were skipped: those that need native \
      histograms or experimental functions. Exits with 1 when one failed or a script cannot be read.

      Example: redline test promql functions.test --dialect 2.x
      """)

  @Argument(help: "The scripts.", completion: .file(extensions: ["test"]))
  var files: [String]

  @Option(help: "Whose results to expect: 2.x is Prometheus 2.42, 3.x is Prometheus 3.")
  var dialect = Dialect.prometheus3

  /// More than any script that a person wrote.
  private static let sizeLimitBytes = 16 << 20

  func run() throws {
    let runner = ScriptRunner(dialect: dialect)
    var (passed, failed, skipped, unreadable) = (0, 0, 0, 0)
    for file in files {
      let script: Script
      do {
        script = try Script(
          String(decoding: try readFile(file, limitBytes: Self.sizeLimitBytes), as: UTF8.self), file: file)
      } catch {
        Redline.printError("\(error)")
        unreadable += 1
        continue
      }
      let report = runner.run(script)
      for failure in report.failures { print(failure) }
      if report.skipped > 0 {
        print("\(file): \(report.skipped) skipped: \(report.skipReasons.joined(separator: "; "))")
      }
      passed += report.passed
      failed += report.failed
      skipped += report.skipped
    }
    print("\(passed) passed, \(failed) failed, \(skipped) skipped")
    if failed > 0 || unreadable > 0 { throw ExitCode(1) }
  }
}

extension Dialect: ExpressibleByArgument {}
