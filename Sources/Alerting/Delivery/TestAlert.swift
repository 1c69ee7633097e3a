import Config
import HTTPClient
import NIOCore
import PromQL
import Runtime
import Transport

/// One alert that people send to see whether it arrives. It ends by itself.
public struct TestAlert: Sendable {
  public static let name = "RedlineTest"

  /// What one Alertmanager made of it.
  public struct Answer: Sendable, CustomStringConvertible {
    /// Where it was sent, without credentials.
    public let url: String
    public let isAccepted: Bool
    /// Why not, as class and words; empty when it was accepted.
    public let problem: String
    /// How far the other clock is ahead, where the answer told.
    public let clockOffsetSeconds: Double?

    /// `http://localhost:9093/api/v2/alerts: accepted; its clock is 300 s ahead`.
    public var description: String {
      let offset = clockOffsetSeconds.map { Int(clamping: $0.rounded()) } ?? 0
      let clock = offset.magnitude < 2 ? "" : "; its clock is \(offset.magnitude) s \(offset > 0 ? "ahead" : "behind")"
      return "\(url): \(isAccepted ? "accepted" : problem)\(clock)"
    }
  }

  private let labels: Labels
  private let seconds: Int

  /// - Parameters:
  ///   - labels: beside `alertname`, which may be among them.
  ///   - seconds: how long the alert holds.
  public init(labels: [Labels.Pair], seconds: Int) {
    self.labels = Labels([Labels.Pair("alertname", Self.name)] + labels)
    self.seconds = seconds
  }

  /// Sends the alert once to every Alertmanager, all addresses of a name included, in the order of the configuration.
  ///
  /// - Parameter file: names the configuration file in errors.
  /// - Throws: what is wrong with the configuration, or that relabelling drops the alert.
  public func send(
    _ config: AlertingConfig, file: String, externalLabels: [String: String] = [:], externalURL: String = "",
    environment: [String: String], group: any EventLoopGroup
  ) async throws(ConfigErrors) -> [Answer] {
    let form = try OutgoingForm(config, file: file, externalLabels: externalLabels, externalURL: externalURL)
    let now = WallTime.now.epochMs
    let notice = Notification(
      labels: labels, annotations: ["summary": "A test of the path from redline to the receivers of its alerts"],
      startsAtMilliseconds: now, endsAtMilliseconds: now + Int64(clamping: seconds) * 1000, isResolved: false)
    let alerts = form.alerts(of: [notice], expression: "vector(1)")
    guard !alerts.isEmpty else {
      throw ConfigErrors(
        ConfigError(
          .file(file, nil), path: "alerting.relabel", problem: "drops the test alert", hint: "use other labels"))
    }
    let context = HTTPContext(group: group)
    var clients: [AlertmanagerClient?] = []
    var answers: [Answer?] = []
    for entry in config.alertmanagers {
      let literals: [String?] =
        entry.isDiscovered ? await context.names.addresses(of: entry.address.host) : [nil]
      for literal in literals {
        clients.append(AlertmanagerClient(entry, literal: literal, environment: environment, in: context))
        answers.append(nil)
      }
      if literals.isEmpty {
        clients.append(nil)
        answers.append(
          Answer(
            url: entry.address.description, isAccepted: false, problem: "dns: the name does not resolve",
            clockOffsetSeconds: nil))
      }
    }
    await withTaskGroup(of: (Int, Answer).self) { group in
      for (index, client) in clients.enumerated() {
        guard let client else { continue }
        group.addTask { (index, await Self.answer(of: client, to: alerts)) }
      }
      for await (index, answer) in group { answers[index] = answer }
    }
    return answers.compactMap { $0 }
  }

  private static func answer(of client: AlertmanagerClient, to alerts: [OutgoingNotification]) async -> Answer {
    let ahead = ClockOffset.correctionMilliseconds(await client.probe().offsetSeconds)
    let answer = await client.post(alerts, aheadMilliseconds: ahead)
    client.close()
    let problem =
      switch answer.outcome {
      case .accepted: ""
      case .refused(let failure), .failed(let failure): "\(failure.errorClass): \(failure.message)"
      }
    return Answer(
      url: client.url, isAccepted: answer.outcome == .accepted, problem: problem,
      clockOffsetSeconds: answer.offsetSeconds)
  }
}
