import Metrics
import Runtime

/// What results of checks come to as series.
enum CheckReportFamilies {
  static let passed = Family.gauge(
    "workload_check_passed",
    "Whether the check found all well when it last ran: 1 yes, 0 no. A run whose verdict is unknown changes nothing; absent until one has a verdict.",
    labels: ["check"])
  static let lastTimestamp = Family.gauge(
    "workload_check_last_timestamp_seconds",
    "End of the check's last run with a verdict, in seconds since the epoch, kept across restarts; absent until the first, and not moved by a run whose verdict is unknown.",
    labels: ["check"], unit: .seconds)
  static let objectiveAge = Family.gauge(
    "objective_check_age_seconds",
    "Largest age of the check's last run with a verdict, in seconds, by objectives.verified; the check of failover is named drill. (configured)",
    labels: ["check"], unit: .seconds, traits: [objectives])
  static let objectiveSince = Family.gauge(
    "objective_check_since_timestamp_seconds",
    "Time when the check's objective was first configured, in seconds since the epoch: one that never ran is overdue from then on.",
    labels: ["check"], unit: .seconds, traits: [objectives])

  private static let objectives = Family.Trait.values(
    KnownCheck.all.filter { $0.objective != nil }.map(\.name), of: "check")

  static let all = [passed, lastTimestamp, objectiveAge, objectiveSince] + CheckNumber.families

  static func add(_ state: CheckState, into sink: inout SampleSink) {
    let check = LabelValue.text(state.check)
    if let decisive = state.decisive {
      sink.add(passed, decisive.verdict == .ok ? 1 : 0, check)
      sink.add(lastTimestamp, decisive.endedAt.seconds, check)
      CheckNumber.add(decisive, into: &sink)
    }
    if let seconds = state.objectiveSeconds { sink.add(objectiveAge, seconds, check) }
    if let time = state.configuredAt { sink.add(objectiveSince, time.seconds, check) }
  }
}

/// A number of a check's results that is a series of its own: that of the last run with a verdict.
///
/// A number that only the page shows needs none.
struct CheckNumber: Sendable {
  let check: String
  /// The name of the number, or how the names of several begin.
  let name: String
  let family: Family
  /// Of several numbers: what follows their beginning is the value of the family's one label, if it begins so.
  let labelStart: String

  static let all = [
    CheckNumber(
      "backup", "keys_",
      .gauge(
        "workload_backup_keys", "Keys in the backup that was verified last, also those that have expired, by database.",
        labels: ["db"]), labelStart: "db"),
    CheckNumber(
      "backup", "load_seconds",
      .gauge(
        "workload_backup_load_seconds", "Time that loading the backup took that was verified last, in seconds.",
        unit: .seconds)),
    CheckNumber(
      "backup", "age_seconds",
      .gauge(
        "workload_backup_age_seconds", "Age of the backup that was verified last, in seconds, at that time.",
        unit: .seconds)),
    CheckNumber(
      "backup", "behind_seconds",
      .gauge(
        "workload_backup_behind_seconds",
        "How long before its verification the last write was that the backup has, in seconds; absent where that is not known.",
        unit: .seconds)),
    CheckNumber(
      "drill", "outage_seconds",
      .gauge(
        "workload_drill_outage_seconds",
        "Longest time in which no canary had a write acknowledged in the last failover drill, in seconds.",
        unit: .seconds)),
    CheckNumber(
      "drill", "switch_seconds",
      .gauge(
        "workload_drill_switch_seconds",
        "From the fault until another was master in the last failover drill, in seconds; absent where nobody took over.",
        unit: .seconds)),
    CheckNumber(
      "drill", "lost_writes",
      .gauge(
        "workload_drill_lost_writes",
        "Acknowledged writes of canaries that were lost in the last failover drill; absent where that is not known.")),
  ]

  static var families: [Family] { all.map(\.family) }

  private init(_ check: String, _ name: String, _ family: Family, labelStart: String = "") {
    (self.check, self.name, self.family, self.labelStart) = (check, name, family, labelStart)
  }

  static func add(_ report: CheckReport, into sink: inout SampleSink) {
    for number in all where number.check == report.check {
      if number.family.labelNames.isEmpty {
        if let value = report.numbers[number.name] { sink.add(number.family, value) }
        continue
      }
      for (name, value) in report.numbers.sorted(by: { $0.key < $1.key }) where name.hasPrefix(number.name) {
        let rest = name.dropFirst(number.name.count)
        if rest.hasPrefix(number.labelStart) { sink.add(number.family, value, .text(String(rest))) }
      }
    }
  }
}
