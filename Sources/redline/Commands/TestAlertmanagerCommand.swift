import Alerting
import ArgumentParser
import Config
import Fleet
import NIOPosix
import PromQL

/// Sends one alert to every configured Alertmanager, so that the path to the people on duty can be tried.
struct TestAlertmanagerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alertmanager", abstract: "Send a test alert to every configured Alertmanager.",
    discussion: """
      Prints what each answered and how far its clock is ahead. The alert is RedlineTest; it carries the \
      external labels and the link of the block rules, goes through the relabelling of alerting and ends by itself. \
      Its label severity is none, which the routes of deploy/alertmanager send to nobody; --page makes it critical, to \
      try the way to the person on call. Exits with 1 when an Alertmanager did not accept it.

      Example: redline test alertmanager /etc/redline/redline.yml --label team=shop
      """)

  @Argument(help: "The configuration file, with its block alerting.", completion: .file(extensions: ["yml", "yaml"]))
  var file: String

  @Option(
    name: .customLong("label"), help: "A label of the alert as NAME=VALUE, such as team=shop; may be repeated.")
  var labels: [TestLabel] = []

  @ArgumentParser.Flag(
    help: "Wake the person on call: the alert has severity=critical, unless --label gives another severity.")
  var page = false

  @Option(help: "How long the alert holds, in seconds: 1 to 3600.")
  var seconds = 60

  func validate() throws {
    guard (1...3600).contains(seconds) else { throw ValidationError("--seconds \(seconds): use 1 to 3600") }
    if !page, let severity = labels.first(where: { $0.pair.name == "severity" })?.pair.value, severity != "none" {
      throw ValidationError("--label severity=\(severity) may wake the person on call: give --page if that is meant")
    }
  }

  func run() async throws {
    let answers: [TestAlert.Answer]
    do throws(ConfigErrors) {
      let config = try FleetConfig.load(file)
      guard let alerting = config.alerting else {
        throw ConfigErrors(
          ConfigError(.file(file, nil), path: "alerting", problem: "is missing", hint: "name the Alertmanagers there"))
      }
      answers = try await TestAlert(
        labels: [Labels.Pair("severity", page ? "critical" : "none")] + labels.map(\.pair), seconds: seconds
      ).send(
        alerting, file: file, externalLabels: config.rules?.externalLabels ?? [:],
        externalURL: config.rules?.externalURL ?? "", environment: processEnvironment(),
        group: MultiThreadedEventLoopGroup.singleton)
    } catch {
      Redline.printError("\(error)")
      throw ExitCode(1)
    }
    for answer in answers { print(answer) }
    if answers.contains(where: { !$0.isAccepted }) { throw ExitCode(1) }
  }
}

/// A label as it is written on the command line.
struct TestLabel: ExpressibleByArgument {
  let pair: Labels.Pair

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), RelabelConfig.isLabelName(String(argument[..<equals])) else {
      return nil
    }
    pair = Labels.Pair(String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }
}
