import Config
import Runtime

/// What each check of each workload found last, and since when it is asked for. Its clock is a parameter.
struct CheckTracker: Sendable {
  struct Key: Hashable, Comparable {
    let workload: String
    let check: String

    static func < (left: Key, right: Key) -> Bool { (left.workload, left.check) < (right.workload, right.check) }
  }

  /// More names than this in the results of one workload are refused.
  static let checkLimit = 50

  private struct Found: Sendable {
    var newest: CheckReport
    var decisive: CheckReport?
  }
  private var found: [Key: Found] = [:]
  private var objectives: [Key: Double] = [:]
  /// When each objective was first configured.
  private(set) var configured: [Key: WallTime] = [:]
  private(set) var workloads: [String] = []

  /// Takes over the objectives of a configuration.
  ///
  /// - Parameter known: when an objective was first configured, as an earlier run kept it.
  mutating func apply(_ config: FleetConfig, at now: WallTime, known: (Key) -> WallTime? = { _ in nil }) {
    workloads = config.workloads.map(\.name)
    objectives = [:]
    for workload in config.workloads {
      for check in KnownCheck.all {
        guard let age = check.objective?(workload.objectives.verified) else { continue }
        objectives[Key(workload: workload.name, check: check.name)] = age.seconds
      }
    }
    // An objective that was off for a while starts again.
    configured = configured.filter { objectives[$0.key] != nil }
    for key in objectives.keys where configured[key] == nil { configured[key] = known(key) ?? now }
    let names = Set(workloads)
    found = found.filter { names.contains($0.key.workload) }
  }

  func admits(_ report: CheckReport) -> Bool {
    found[Key(report)] != nil || found.keys.count { $0.workload == report.workload } < Self.checkLimit
  }

  /// Results may come late and in any order: the one that ended last counts.
  mutating func note(_ report: CheckReport) {
    guard workloads.contains(report.workload), admits(report) else { return }
    let key = Key(report)
    var entry = found[key] ?? Found(newest: report)
    if report.endedAt >= entry.newest.endedAt { entry.newest = report }
    if report.verdict != .unknown, report.endedAt >= entry.decisive?.endedAt ?? .distantPast { entry.decisive = report }
    found[key] = entry
  }

  /// Every check that ran or is asked for, by workload and in the order of ``KnownCheck/all``.
  ///
  /// - Parameters:
  ///   - workload: nil for all.
  ///   - file: the configuration, as commands name it.
  func states(of workload: String? = nil, file: String) -> [CheckState] {
    let places = Dictionary(uniqueKeysWithValues: KnownCheck.all.enumerated().map { ($0.element.name, $0.offset) })
    let keys = Set(found.keys).union(objectives.keys).filter { workload == nil || $0.workload == workload }
    return keys.sorted {
      ($0.workload, places[$0.check] ?? .max, $0.check) < ($1.workload, places[$1.check] ?? .max, $1.check)
    }.map { key in
      CheckState(
        workload: key.workload, check: key.check, newest: found[key]?.newest, decisive: found[key]?.decisive,
        objectiveSeconds: objectives[key], configuredAt: configured[key],
        command: KnownCheck.named(key.check)?.command(file: file, workload: key.workload))
    }
  }
}

extension CheckTracker.Key {
  init(_ report: CheckReport) { self.init(workload: report.workload, check: report.check) }
}
