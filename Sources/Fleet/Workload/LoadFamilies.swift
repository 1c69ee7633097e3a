import Metrics

/// The families of how busy members are.
enum LoadFamilies {
  static let eventLoopBusy = Family.gauge(
    "eventloop_busy_ratio",
    "Share of the time between the newest two polls that the event loop was busy (eventloop_duration_sum).",
    labels: ["instance"], unit: .ratio)
  static let slowCommands = Family.counter(
    "commands_slower_than_objective_total",
    "Calls that took longer than the edge, since the server is watched, without those that wait by design; goes on over resets of the server (LATENCY HISTOGRAM).",
    labels: ["instance"])
  static let slowCommandsEdge = Family.gauge(
    "commands_slower_than_objective_edge_seconds",
    "The largest edge of the server's histogram that does not exceed the objective for latency: what calls are counted against.",
    labels: ["instance"], unit: .seconds)

  static let all = [eventLoopBusy, slowCommands, slowCommandsEdge]
}
