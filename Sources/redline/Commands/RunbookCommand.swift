import API
import ArgumentParser
import Config
import Fleet
import Runtime

/// What to do about an alert, for a terminal: the runbook with its commands filled in, over the API of the daemon.
struct RunbookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runbook", abstract: "Say what to do about an alert, with the commands filled in.",
    discussion: """
      Asks the daemon at --url, by default \(DaemonOptions.defaultURL), which knows addresses, users and TLS of the servers. Passwords are \
      never printed: commands read them from where redline.yml says. Without an answer the runbook is printed as it is \
      shipped, with placeholders.

      Exits with 0 when the commands are filled in as far as they are known, with 1 when there is no such runbook, workload \
      or node, with 3 when the daemon gives no answer, and with 64 for wrong arguments.

      With --gather it asks the servers of the workload by itself, with commands that only read, for what the runbook names, \
      and says what stands out; it exits with 2 for a file that cannot be used, and with 3 when no server answers.

      Example: redline runbook RedisDown --node 10.0.0.1:6379
      Example: redline runbook RedisLatencyP99High --gather --workload cache --config.file /etc/redline/redline.yml
      """)

  @Argument(help: ArgumentHelp("The alert, such as RedisDown.", valueName: "name"))
  var name: String

  @OptionGroup var daemon: DaemonOptions

  @Option(help: "The workload that it is about.")
  var workload: String?

  @Option(help: ArgumentHelp("The server that it is about, by its label instance.", valueName: "instance"))
  var node: String?

  @ArgumentParser.Flag(help: "Gather the evidence that the runbook names, without a daemon, and print it instead.")
  var gather = false

  @Option(
    name: .customLong("config.file"), help: "The fleet's file, for --gather.",
    completion: .file(extensions: ["yml", "yaml"]))
  var configFile: String?

  @Option(help: ArgumentHelp("Where runbooks are when the daemon does not answer.", valueName: "folder"))
  var folder: String?

  private static let unknownStatus: Int32 = 3

  func validate() throws {
    if gather, configFile == nil || workload == nil {
      throw ValidationError("--gather needs --workload and --config.file: whom to ask, and how to log in")
    }
    if !gather, configFile != nil { throw ValidationError("--config.file is for --gather") }
  }

  func run() async throws {
    if gather { return try await printEvidence() }
    do {
      let items = [("workload", workload), ("node", node)].compactMap { name, value in
        value.map { "\(name)=\($0.percentEncoded())" }
      }
      let query = items.isEmpty ? "" : "?" + items.joined(separator: "&")
      let data = try await daemon.ask(
        daemon.url ?? DaemonOptions.defaultURL, "runbooks/\(name.percentEncoded())\(query)")
      guard let text = data["text"]?.string else {
        throw DaemonOptions.Failure(description: "the answer has no text: is it a redline of this version?")
      }
      show(text)
    } catch let error as ConfigErrors {
      Redline.printError("\(error)")
      throw ExitCode.validationFailure
    } catch let failure as DaemonOptions.Failure where failure.isNotFound {
      Redline.printError("redline: \(failure.reason)")
      throw ExitCode(1)
    } catch {
      try showShipped("\(error)")
    }
  }

  /// - Parameter reason: why the daemon's own is not shown.
  private func showShipped(_ reason: String) throws {
    let libraries = (folder.map { [$0] } ?? Self.folders).map { RunbookLibrary(directory: $0) }
    guard let library = libraries.first(where: { !$0.names().isEmpty }) else {
      Redline.printError("redline: \(reason)\nThere are no runbooks here either: name their folder by --folder.")
      throw ExitCode(Self.unknownStatus)
    }
    guard let text = library.text(name) else {
      let meant =
        nearest(to: name, in: library.names()).map { "did you mean \($0)?" } ?? "all are in \(library.directory)"
      Redline.printError("redline: there is no runbook \(quoted(name)): \(meant)")
      throw ExitCode(1)
    }
    show(RunbookLibrary.unfilled(text))
    Redline.printError("\nredline: \(reason)\nThe commands are not filled in.")
    throw ExitCode(Self.unknownStatus)
  }

  /// Gathers evidence as the daemon does when the alert begins.
  private func printEvidence() async throws {
    let evidence: Evidence?
    do {
      let path = configFile ?? ""
      let config = try FleetConfig.load(path)
      guard let only = config.limited(to: workload ?? "") else {
        throw ConfigErrors(
          ConfigError(
            .flag("workload"), problem: "\(workload ?? "") is no workload of \(path)",
            hint: "it has \(config.workloads.map(\.name).joined(separator: ", "))"))
      }
      let subject = try AccessSubject(["--config.file", path], environment: processEnvironment())
      var labels = ["alertname": name, "workload": workload ?? ""]
      labels["instance"] = node
      let alert = EvidenceAlert(name: name, labels: labels)
      let named = try (folder.map { [$0] } ?? Self.folders).lazy
        .compactMap { try RunbookLibrary(directory: $0).frontMatter(name) }.first
      let sources = named?.evidence ?? EvidenceNames.usual
      evidence = await FleetSearch.run(only, subject) { fleet in
        await EvidenceGatherer.look(
          alert, at: fleet, connections: subject.factory.context, sources: sources, log: AccessSubject.log)
      }
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(Redline.usageStatus)
    }
    guard let evidence else {
      Redline.printError("redline: no server of \(workload ?? "") was found")
      throw ExitCode(Self.unknownStatus)
    }
    show(EvidenceMarkdown(evidence).text)
    let nodes = evidence.looks.last?.nodes ?? []
    if nodes.allSatisfy({ $0.silence != nil }) { throw ExitCode(Self.unknownStatus) }
  }

  private func show(_ markdown: String) {
    let terminal = OutputTerminal(environment: processEnvironment())
    Redline.printNow(
      MarkdownLines(markdown, columns: terminal.columns, hasColours: terminal.paint.hasColours).text)
  }

  /// Where packages and images lay runbooks, and where they are beside a program that was built from the sources.
  private static var folders: [String] {
    // Without a slash it was found by PATH, which is where packages lay it.
    let program = CommandLine.arguments.first ?? ""
    let place = program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return [
      "\(place)/../share/redline/alerts/runbooks", "/usr/share/redline/alerts/runbooks",
      "\(place)/../../../alerts/runbooks",
    ]
  }
}
