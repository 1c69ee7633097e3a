import Alerting
import ArgumentParser
import Config
import PromQL

/// Checks rule files as promtool does, and looks for what only the exporter can know to be wrong.
struct CheckRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check rule files of Prometheus.",
    discussion: """
      Errors are what Prometheus refuses too. Findings are rules that Prometheus takes and that will not do what their \
      author expects: series that redline never exports, thresholds that +Inf passes, and the like.

      Exits with 0 when the files can be used, with 1 when not, and with 3 when --lint-fatal is given and something \
      was found.

      Example: redline check rules /etc/prometheus/rules/*.yml
      """)

  /// Which findings to look for.
  enum Lint: String, CaseIterable, ExpressibleByArgument {
    case all
    case duplicateRules = "duplicate-rules"
    case none
  }

  @Argument(help: "The rule files; standard input when none is given.", completion: .file(extensions: ["yml", "yaml"]))
  var files: [String] = []

  @Option(help: "What to look for besides errors: all, duplicate-rules as promtool does, or none.")
  var lint = Lint.all

  @ArgumentParser.Flag(help: "Exit with 3 when something was found.")
  var lintFatal = false

  @Option(help: "Whose syntax to expect: 2.x is Prometheus 2.42, 3.x is Prometheus 3.")
  var dialect = Dialect.prometheus3

  @Option(help: "How often samples come, such as 15s.")
  var pollInterval = "5s"

  @Option(help: "How far back samples are kept, such as 2d; without it as far as the rules look.")
  var history: String?

  @Option(help: "What redline's --namespace is.")
  var namespace = "redis"

  @Option(help: "A label that the targets carry beside job, instance, workload and environment; may be repeated.")
  var targetLabel: [String] = []

  func run() throws {
    let settings = RuleLintSettings(
      catalogue: RuleCatalogue.make(namespace: namespace, targetLabels: Set(targetLabel)),
      pollIntervalMilliseconds: try duration(pollInterval, "--poll-interval"),
      historyMilliseconds: try history.map { try duration($0, "--history") }, dialect: dialect)
    var good: [RuleFile] = []
    var errors: [String: ConfigErrors] = [:]
    let names = files.isEmpty ? ["/dev/stdin"] : files
    for name in names {
      do throws(ConfigErrors) {
        good.append(try RuleFile.load(name, dialect: dialect))
      } catch {
        errors[name] = error
      }
    }
    // Rules of one file may read what those of another record.
    let findings =
      (lint == .none ? [] : good.flatMap(\.duplicates))
      + RuleFile.findings(in: good, settings: lint == .all ? settings : nil)
    for name in names {
      print(files.isEmpty ? "Checking standard input" : "Checking \(name)")
      report(good.first { $0.path == name }, errors[name], findings.filter { $0.file == name })
    }
    if !errors.isEmpty { throw ExitCode(1) }
    if lintFatal, !findings.isEmpty { throw ExitCode(3) }
  }

  private func report(_ file: RuleFile?, _ errors: ConfigErrors?, _ findings: [RuleFinding]) {
    if let errors { Redline.printError("  FAILED:\n\(errors)") }
    if let file {
      for remark in file.remarks { Redline.printError("  WARNING: \(remark)") }
      for finding in findings { Redline.printError("  FOUND: \(finding)") }
      let count = findings.isEmpty ? "" : ", \(findings.count) finding\(findings.count == 1 ? "" : "s")"
      print("  SUCCESS: \(file.ruleCount) rules found\(count)")
    }
    print()
  }

  private func duration(_ text: String, _ option: String) throws -> Int64 {
    guard let ms = NumberSyntax.durationMilliseconds(text), ms > 0 else {
      throw ValidationError("\(option): \(text) is not a duration; write 15s, 5m or 1h30m")
    }
    return ms
  }
}
