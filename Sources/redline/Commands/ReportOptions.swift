import ArgumentParser
import Config
import Fleet
import Runtime

/// What every command takes that answers with the results of checks.
struct ReportOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, markdown, json
  }

  @Argument(help: "The fleet's configuration file.", completion: .file(extensions: ["yml", "yaml"]))
  var file: String?

  @Option(name: .customLong("config.file"), help: "The same, as a flag.")
  var configFile: String?

  @Option(help: "Only this workload.")
  var workload: String?

  @Option(help: "How the results are printed: text, markdown or json.")
  var format: Format = .text

  @Option(help: "The severity from which on a finding makes the command fail: info, warning or critical.")
  var failOn: Finding.Severity = .warning

  /// The configuration with the workloads that are asked for.
  ///
  /// - Throws: ``ConfigErrors``.
  func load() throws(ConfigErrors) -> (config: FleetConfig, path: String) {
    guard let path = file ?? configFile else {
      throw ConfigErrors(ConfigError(.flag("config.file"), problem: "is missing", hint: "name the fleet's file"))
    }
    let config = try FleetConfig.load(path)
    guard let workload else { return (config, path) }
    guard let only = config.limited(to: workload) else {
      throw ConfigErrors(
        ConfigError(
          .flag("workload"), problem: "\(workload) is no workload of \(path)",
          hint: "it has \(config.workloads.map(\.name).joined(separator: ", "))"))
    }
    return (only, path)
  }

  /// The exit status: 0, 1 for a finding that fails the command, which beats 3 for what is unknown.
  func status(of results: [CheckResult]) -> Int32 {
    if results.contains(where: { $0.answer == .finding && ($0.severity ?? .info) >= failOn }) { return 1 }
    return results.contains { $0.answer == .unknown } ? 3 : 0
  }
}

extension Finding.Severity: ExpressibleByArgument {
  public init?(argument: String) {
    guard let severity = Self.allCases.first(where: { $0.name == argument }) else { return nil }
    self = severity
  }

  public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// Results of checks as they are printed.
struct ReportText {
  let title: String
  let results: [CheckResult]

  func text(_ format: ReportOptions.Format) -> String {
    switch format {
    case .text: plain
    case .markdown: markdown
    case .json: json
    }
  }

  private var told: [CheckResult] { results.filter { $0.answer != .ok } }

  private var summary: String {
    let findings = Finding.Severity.allCases.reversed().map { severity in
      "\(results.count { $0.severity == severity }) \(severity.name)"
    }
    let unknown = results.count { $0.answer == .unknown }
    return "\(results.count) results: \(findings.joined(separator: ", ")), \(unknown) unknown"
  }

  private func words(_ result: CheckResult) -> String {
    result.reason.map { "cannot be judged: \($0)" } ?? result.text
  }

  private func level(_ result: CheckResult) -> String { result.severity?.name ?? result.answer.rawValue }

  private var plain: String {
    var lines: [String] = []
    for (workload, results) in groups {
      lines.append(workload)
      lines += results.map { result in
        let level = level(result)
        let gap = String(repeating: " ", count: max(1, 9 - level.count))
        return "  \(level)\(gap)\(words(result)) [\(result.check)]"
      }
    }
    return (lines + [summary]).joined(separator: "\n") + "\n"
  }

  private var markdown: String {
    var lines = ["# \(title)", ""]
    for (workload, results) in groups {
      lines += ["## \(workload)", "", "| severity | check | server | what |", "|---|---|---|---|"]
      lines += results.map { result in
        let cells = [level(result), result.check, result.instance ?? "", words(result)]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
      }
      lines.append("")
    }
    return (lines + [summary]).joined(separator: "\n") + "\n"
  }

  /// By workload, in their order; only what is told.
  private var groups: [(workload: String, results: [CheckResult])] {
    var names: [String] = []
    for result in told where !names.contains(result.workload) { names.append(result.workload) }
    return names.map { name in (name, told.filter { $0.workload == name }) }
  }

  private var json: String {
    let rows = results.map { result in
      var pairs = [("check", jsonString(result.check)), ("workload", jsonString(result.workload))]
      pairs.append(("instance", result.instance.map { jsonString($0) } ?? "null"))
      pairs.append(("verdict", jsonString(result.answer.rawValue)))
      if let severity = result.severity { pairs.append(("severity", jsonString(severity.name))) }
      pairs.append(("text", jsonString(result.reason ?? result.text)))
      if let reason = result.reason { pairs.append(("right", jsonString(reason))) }
      return "{" + pairs.map { "\(jsonString($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }
    return "{\"results\":[\n\(rows.joined(separator: ",\n"))\n]}\n"
  }
}
