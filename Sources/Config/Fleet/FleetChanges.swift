/// What a reload has to do: workloads are told apart by name.
public struct FleetChanges: Sendable, Equatable {
  /// These keep running untouched.
  public let unchanged: [String]
  /// The new form of those that differ in anything.
  public let changed: [WorkloadConfig]
  public let added: [WorkloadConfig]
  public let removed: [String]

  public var isEmpty: Bool { changed.isEmpty && added.isEmpty && removed.isEmpty }
}

extension FleetConfig {
  /// How this configuration differs from the one in force. A secret behind a reference that stayed the same is no
  /// difference: it is read again at each login.
  public func changes(from old: FleetConfig) -> FleetChanges {
    var unchanged: [String] = []
    var changed: [WorkloadConfig] = []
    var added: [WorkloadConfig] = []
    for workload in workloads {
      switch old.workload(named: workload.name) {
      case nil: added.append(workload)
      case workload?: unchanged.append(workload.name)
      default: changed.append(workload)
      }
    }
    let removed = old.workloads.map(\.name).filter { workload(named: $0) == nil }
    return FleetChanges(unchanged: unchanged, changed: changed, added: added, removed: removed)
  }
}
