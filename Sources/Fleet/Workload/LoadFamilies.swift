import Metrics

/// The families of how busy members are.
enum LoadFamilies {
  static let eventLoopBusy = Family.gauge(
    "eventloop_busy_ratio",
    "Share of the time between the last two polls that the event loop was busy (eventloop_duration_sum).",
    labels: ["instance"], unit: .ratio)
  static let slowCommands = Family.counter(
    "commands_slower_than_objective_total",
    "Calls slower than commands_slower_than_objective_edge_seconds, without commands that wait by design; continues across restarts and resets of the server (LATENCY HISTOGRAM).",
    labels: ["instance"])
  static let slowCommandsEdge = Family.gauge(
    "commands_slower_than_objective_edge_seconds",
    "Time above which calls count as slower than the objective: the largest bucket edge of the server's histogram that is not above the latency objective.",
    labels: ["instance"], unit: .seconds)

  static let all = [eventLoopBusy, slowCommands, slowCommandsEdge]
}
