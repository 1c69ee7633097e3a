import ArgumentParser
import Config
import Fleet

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
