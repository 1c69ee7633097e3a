import Metrics
import Redis

/// Whether clients are paused, what they wait to do, and why: a CLIENT PAUSE that was forgotten looks like an outage.
struct ClientPauseCollector: Collector {
  let name = "client_pause"
  var families: [Family] { [Self.paused] }
  var readsInfoOnly: Bool { true }

  private static let paused = Family.gauge(
    "clients_paused",
    "Whether clients are paused, 1 or 0, with the reason and what they cannot do in the labels, which are empty while none are (INFO paused_reason).",
    labels: ["reason", "actions"], traits: [.since("Valkey 9.1")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard poll.info["paused_reason"] != nil else { return }
    guard let pause = ClientPause(poll.info) else { return sink.add(Self.paused, 0, ["", ""]) }
    sink.add(Self.paused, 1, [.text(pause.reason), .text(pause.actions)])
  }
}

/// A pause of clients that is in force.
struct ClientPause: Sendable, Equatable {
  /// As the server names it: `client_pause`, `failover_in_progress`.
  let reason: String
  /// What clients cannot do: `write`, `all`.
  let actions: String
  /// Until it ends by itself; nil where the server does not tell.
  let remainingSeconds: Double?

  /// - Returns: nil where no client is paused, and where the server does not tell.
  init?(_ info: InfoText) {
    guard let reason = info.text("paused_reason"), !["", "none"].contains(reason) else { return nil }
    self.reason = reason
    actions = info.text("paused_actions") ?? ""
    remainingSeconds = info.finite("paused_timeout_milliseconds").map { max(0, $0 / 1000) }
  }

  /// Whether somebody ordered it, and not the server for a failover, a migration or its end.
  var isOrdered: Bool { reason == "client_pause" }
}
