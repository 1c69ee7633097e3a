import Config
import Metrics

/// The families of a workload and of its members that no single server tells.
enum WorkloadFamilies {
  static let info = Family.gauge(
    "workload_info", "Kind and topology of the workload, as configured, in labels; the value is always 1.",
    labels: ["kind", "topology"])
  static let role = Family.gauge(
    "instance_role", "Role of the server: 1 for the current role, 0 for the others.", labels: ["instance", "role"],
    traits: [.values(["master", "replica"], of: "role")])
  static let memberState = Family.gauge(
    "workload_member_state",
    "State of the member: 1 for the current state, 0 for the others; present, missing, or ghost (gone, and the workload is complete without it).",
    labels: ["instance", "state"], traits: [.values(Roster.State.names, of: "state")])
  static let breakerOpen = Family.gauge(
    "exporter_breaker_open",
    "Whether the server has failed so often that it is only retried at growing intervals: 1 yes, 0 no.",
    labels: ["instance"])
  static let membersPresent = Family.gauge("workload_members_present", "Members that are up.")
  static let membersExpected = Family.gauge("workload_members_expected", "Members that the configuration expects.")
  static let mastersPresent = Family.gauge(
    "workload_masters_present", "Members that are up and report the role master.", traits: [.event])
  static let mastersExpected = Family.gauge("workload_masters_expected", "Masters that the configuration expects.")
  static let replicasOnline = Family.gauge(
    "workload_replicas_online", "Replicas that are up and whose link to their master is up.")
  static let replicasExpected = Family.gauge("workload_replicas_expected", "Replicas that the configuration expects.")

  static let membersRefused = Family.gauge(
    "workload_members_refused",
    "Announced members and Sentinels that are not monitored, by reason: the form or the scope of their address, members.allow, too few others that name them, or no replica that answers there.",
    labels: ["reason"])
  static let eventsOmitted = Family.counter(
    "workload_events_omitted_total", "Events of the workload that were not kept because there were too many.")
  static let logLinesOmitted = Family.counter(
    "workload_log_lines_omitted_total", "Log lines of the workload that were left out because there were too many.")

  static let clockOffset = Family.gauge(
    "clock_offset_seconds", "Server's clock minus the exporter's clock; the error is at most the duration of a poll.",
    labels: ["instance"], unit: .seconds)
  static let inPeak = Family.gauge(
    "workload_in_peak", "Whether the objectives of a peak event are in force: 1 yes, 0 no.")
  static let inMaintenance = Family.gauge(
    "workload_in_maintenance", "Whether a maintenance window is open, of the configuration or of a mark: 1 yes, 0 no.")

  static let all = [
    info, role, memberState, breakerOpen, membersPresent, membersExpected, mastersPresent, mastersExpected,
    replicasOnline, replicasExpected, clockOffset, inPeak, inMaintenance,
    membersRefused, eventsOmitted, logLinesOmitted,
  ]
}

extension WorkloadConfig {
  /// `workload` and `environment`, which all series of the workload carry.
  public var seriesLabels: [(name: String, value: LabelValue)] {
    [("workload", .text(name))] + (environment.map { [("environment", .text($0))] } ?? [])
  }

  /// The configured labels stand on this family alone.
  var info: Samples {
    var sink = SampleSink()
    sink.add(WorkloadFamilies.info, 1, [.text(kind.rawValue), .text(topology.rawValue)])
    let team = team.map { [(name: "team", value: LabelValue.text($0))] } ?? []
    let further = labels.sorted { $0.key < $1.key }.map { (name: $0.key, value: LabelValue.text($0.value)) }
    return sink.finish(constantLabels: seriesLabels + team + further)
  }
}
