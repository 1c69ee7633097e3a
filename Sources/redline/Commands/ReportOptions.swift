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

  @OptionGroup var daemon: DaemonOptions

  @Option(help: "How the results are printed: text, markdown or json.")
  var format: Format = .text

  @Option(help: "The severity from which on a finding makes the command fail: info, warning or critical.")
  var failOn: Finding.Severity = .warning

  /// The configuration with the workloads that are asked for.
  ///
  /// - Throws: ``ConfigErrors``.
  func load() throws(ConfigErrors) -> (config: FleetConfig, path: String) {
    guard let path = file ?? configFile else {
      throw ConfigErrors(
        ConfigError(.flag("config.file"), problem: "is missing", hint: "name the fleet's file, or a daemon with --url"))
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

  /// Prints what the checks of the daemon or of the file find, and ends the command with the exit status.
  ///
  /// - Parameters:
  ///   - title: begins the title, which goes on with the daemon's address or the file.
  ///   - ids: of the checks that it is about; nil for all.
  ///   - change: is made of the file's configuration first.
  ///   - remarks: what is to be known beside the results, for people; of no configuration where a daemon is asked.
  ///   - prepare: is done with the fleet before it is judged, where no daemon is asked.
  func printResults(
    _ title: String, finds ids: Set<String>? = nil, change: (FleetConfig) -> FleetConfig = { $0 },
    remarks: (FleetConfig) async -> [String] = { _ in [] }, prepare: @Sendable (Fleet) async -> Void = { _ in }
  ) async throws {
    try await Self.exit {
      var results: [CheckResult]
      let subject: String
      var told: [String] = []
      if let url = daemon.url {
        subject = url
        results = try await daemon.checkResults(url, workload: workload)
      } else {
        let (loaded, path) = try load()
        let config = change(loaded)
        subject = path
        told = await remarks(config)
        let access = try AccessSubject(["--config.file", path], environment: processEnvironment())
        results = await FleetSearch.run(config, access) { fleet in
          await prepare(fleet)
          return await fleet.checkResults()
        }
      }
      if let ids { results = results.filter { ids.contains($0.check) } }
      print(
        ReportText(title: "\(title) \(subject) find\(ids == nil ? "" : "s")", results: results, remarks: told)
          .text(format),
        terminator: "")
      return status(of: results)
    }
  }

  /// Ends the command with the status that `body` gives. A daemon that cannot be asked is unknown; any other error is told as
  /// one of the configuration.
  static func exit(by body: () async throws -> Int32) async throws {
    let status: Int32
    do { status = try await body() } catch let failure as DaemonOptions.Failure {
      Redline.printError("\(failure)")
      throw ExitCode(unknownStatus)
    } catch let error as ExitCode { throw error } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    if status != 0 { throw ExitCode(status) }
  }

  /// The exit status: 0, 1 for a finding that fails the command, which beats 3 for what is unknown.
  func status(of results: [CheckResult]) -> Int32 { Self.status(of: results, failOn: failOn) }

  static func status(of results: [CheckResult], failOn: Finding.Severity) -> Int32 {
    if results.contains(where: { $0.answer == .finding && ($0.severity ?? .info) >= failOn }) { return 1 }
    return results.contains { $0.answer == .unknown } ? unknownStatus : 0
  }

  /// Something cannot be judged or reached.
  static let unknownStatus: Int32 = 3
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
  /// What is to be known beside them, for people: before a text, as a list below Markdown, and not in JSON.
  var remarks: [String] = []

  func text(_ format: ReportOptions.Format) -> String {
    let remarks = remarks.map { KnownSecrets.masked(oneLine($0), sparesWords: true) }
    switch format {
    case .text: return remarks.map { "\($0)\n" }.joined() + plain
    case .markdown: return markdown + (remarks.isEmpty ? "" : "\n" + remarks.map { "- \($0)\n" }.joined())
    case .json: return json
    }
  }

  private var told: [CheckResult] { results.filter { $0.answer != .ok } }

  private var summary: String {
    let findings = Finding.Severity.allCases.reversed().map { severity in
      "\(results.count { $0.severity == severity }) \(severity.name)"
    }
    let others = CheckResult.Answer.allCases.compactMap { answer -> String? in
      let count = results.count { $0.answer == answer }
      return answer == .unknown || answer.isAside && count > 0 ? "\(count) \(answer.rawValue)" : nil
    }
    return "\(results.count) results: \((findings + others).joined(separator: ", "))"
  }

  /// One line of what is printed.
  private struct Line {
    let level: String
    let check: String
    let instance: String?
    let text: String
  }

  /// Many checks that cannot see for the same reason are one line.
  private func lines(_ results: [CheckResult]) -> [Line] {
    struct Cause: Hashable {
      let instance: String?
      let reason: String
    }
    func cause(_ result: CheckResult) -> Cause? { result.reason.map { Cause(instance: result.instance, reason: $0) } }
    let counts = results.compactMap(cause).reduce(into: [:]) { $0[$1, default: 0] += 1 }
    var told: Set<Cause> = []
    let asides = results.filter(\.answer.isAside).reduce(into: [:]) { $0[[$1.check, $1.text], default: 0] += 1 }
    var toldAsides: Set<[String]> = []
    return results.compactMap { result in
      let level = result.severity?.name ?? result.answer.rawValue
      // What is said of several servers alike is one line.
      if result.answer.isAside, let count = asides[[result.check, result.text]], count > 1 {
        guard toldAsides.insert([result.check, result.text]).inserted else { return nil }
        return Line(level: level, check: result.check, instance: nil, text: "\(result.text) (\(count) servers)")
      }
      guard let cause = cause(result) else {
        return Line(level: level, check: result.check, instance: result.instance, text: result.text)
      }
      let who = cause.instance.map { "\($0) " } ?? ""
      let count = counts[cause] ?? 1
      guard count > 1 else {
        return Line(
          level: level, check: result.check, instance: cause.instance,
          text: "\(who)cannot be judged: \(cause.reason)")
      }
      guard told.insert(cause).inserted else { return nil }
      return Line(
        level: level, check: "\(count) checks", instance: cause.instance,
        text: "\(who)cannot be judged: \(cause.reason)")
    }
  }

  private var plain: String {
    var lines: [String] = []
    for (workload, results) in groups {
      lines.append(workload)
      let told = self.lines(results)
      let width = max(8, told.map(\.level.count).max() ?? 0)
      lines += told.map { line in
        let gap = String(repeating: " ", count: width + 1 - line.level.count)
        return "  \(line.level)\(gap)\(line.text) [\(line.check)]"
      }
    }
    return (lines + [summary]).joined(separator: "\n") + "\n"
  }

  private var markdown: String {
    var lines = ["# \(title)", ""]
    for (workload, results) in groups {
      lines += ["## \(workload)", "", "| severity | check | server | what |", "|---|---|---|---|"]
      lines += self.lines(results).map { line in
        let cells = [line.level, line.check, line.instance ?? "", line.text]
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
    var json = JSONWriter()
    json.object { json in
      json.key("results")
      json.lines { json in for result in results { result.write(to: &json) } }
    }
    json.verbatim("\n")
    return json.text
  }
}
