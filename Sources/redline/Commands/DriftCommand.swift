import ArgumentParser
import Config
import Fleet
import Runtime

/// Says what servers run with other than their declared files say.
struct DriftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "Compare what servers run with to the redis.conf and sentinel.conf under version control.",
    discussion: """
      Only reads. The files are those of declared.redis_conf and declared.sentinel_conf, read as Redis reads them: \
      quotes, include, units, old names; the last line counts. What means the same is the same. Servers are asked by \
      CONFIG GET, for what is declared and nothing else; where CONFIG is renamed away or not allowed, INFO tells a few settings \
      and the others are unknown. Secrets, users, modules and what each server has of its own are not compared.

      The servers are polled once; with --url the daemon tells what it knows from its last look. Only what differs or \
      is unknown is printed; --format json has every setting.

      Exits with 0 when all servers run what is declared, with 1 for a difference, with 2 when the configuration or a \
      declared file cannot be used, with 3 when something is unknown or cannot be reached, and with 64 for wrong arguments.

      Example: redline drift /etc/redline/redline.yml --workload carts
      """)

  @OptionGroup var options: ReportOptions

  func run() async throws {
    try await ReportOptions.exit {
      let results = try await look()
      let text = DriftText(results)
      switch options.format {
      case .text: print(text.plain, terminator: "")
      case .markdown: print(text.markdown, terminator: "")
      case .json: print(text.json, terminator: "")
      }
      // Where no server is found, nobody can tell.
      return results.isEmpty ? ReportOptions.unknownStatus : options.status(of: results.map(\.checked))
    }
  }

  private func look() async throws -> [DriftResult] {
    if let url = options.daemon.url { return try await options.daemon.drift(url, workload: options.workload) }
    let (config, path) = try options.load()
    let declaring = config.limited { $0.declared != nil }
    guard !declaring.workloads.isEmpty else {
      throw ConfigErrors(
        ConfigError(
          .file(path, nil), path: "workloads[].declared", problem: "is missing",
          hint: "name the files under version control: declared: {redis_conf: FILE}"))
    }
    let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
    Progress.show(
      "looks at \(declaring.workloads.count == 1 ? "one workload" : "\(declaring.workloads.count) workloads")")
    defer { Progress.show("") }
    return await FleetSearch.run(declaring, subject) { fleet in
      await fleet.audit(mayBeEarly: true)
      return await fleet.drifts()
    }.flatMap(\.results)
  }
}

extension DaemonOptions {
  /// Each setting of each server beside its declared file, as the daemon knows it.
  ///
  /// - Parameter workload: nil for all.
  fileprivate func drift(_ url: String, workload: String?) async throws -> [DriftResult] {
    let query = workload.map { "?workload=\($0.percentEncoded())" } ?? ""
    let listed = try await ask(url, "drift" + query)["results"]?.elements
    let results = (listed ?? []).map { DriftResult($0) }
    guard listed != nil, !results.contains(nil) else {
      throw Failure(description: "\(url) answers with results that this program does not know: is it of this version?")
    }
    return results.compactMap { $0 }
  }
}
