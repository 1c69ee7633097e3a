import Metrics

/// The families of a workload and of its members that no single server tells.
enum WorkloadFamilies {
  static let info = Family.gauge(
    "workload_info", "1, with what the configuration says of the workload in labels.", labels: ["kind", "topology"])
  static let role = Family.gauge(
    "instance_role", "1 for the role that the server has now, 0 for the others.", labels: ["instance", "role"])
  static let memberState = Family.gauge(
    "workload_member_state",
    "1 for how the member stands in its workload, 0 otherwise: present, missing, or a ghost that the workload does without.",
    labels: ["instance", "state"])
  static let breakerOpen = Family.gauge(
    "exporter_breaker_open", "Whether the server has failed so often that it is tried at growing intervals only.",
    labels: ["instance"])
  static let membersPresent = Family.gauge("workload_members_present", "Members that are up.")
  static let membersExpected = Family.gauge("workload_members_expected", "Members that the configuration expects.")
  static let mastersPresent = Family.gauge(
    "workload_masters_present", "Members that are up and hold themselves for master.")
  static let mastersExpected = Family.gauge("workload_masters_expected", "Masters that the configuration expects.")
  static let replicasOnline = Family.gauge(
    "workload_replicas_online", "Replicas that are up and whose link to their master is up.")
  static let replicasExpected = Family.gauge("workload_replicas_expected", "Replicas that the configuration expects.")

  static let membersRefused = Family.gauge(
    "workload_members_refused",
    "Announced members and Sentinels that are not watched, by why: the form or the scope of their address, members.allow, or that too few others name them.",
    labels: ["reason"])
  static let eventsOmitted = Family.counter(
    "workload_events_omitted_total", "Events of the workload that were not kept because it had too many.")
  static let logLinesOmitted = Family.counter(
    "workload_log_lines_omitted_total", "Lines of the workload that were left out of the log because it had too many.")

  static let clockOffset = Family.gauge(
    "clock_offset_seconds", "The server's clock less the exporter's, with the time of a poll as its error.",
    labels: ["instance"], unit: .seconds)
  static let inPeak = Family.gauge(
    "workload_in_peak", "Whether the objectives of a peak event are in force: 1 yes, 0 no.")
  static let inMaintenance = Family.gauge(
    "workload_in_maintenance", "Whether a maintenance window is open: 1 yes, 0 no.")

  static let all = [
    info, role, memberState, breakerOpen, membersPresent, membersExpected, mastersPresent, mastersExpected,
    replicasOnline, replicasExpected, clockOffset, inPeak, inMaintenance,
    membersRefused, eventsOmitted, logLinesOmitted,
  ]
}
