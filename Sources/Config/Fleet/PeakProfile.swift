/// Other objectives for declared windows, such as a sale with ten times the traffic.
public struct PeakProfile: Sendable, Equatable {
  /// Never empty.
  public let windows: Schedule
  public let objectives: Objectives
  /// True when nothing may be evicted in a window, whatever holds outside of it.
  public let areEvictionsForbidden: Bool

  init(_ fields: MappingReader, base: Objectives, eviction: EvictionPolicy) {
    windows = Schedule(fields.list("windows", of: .window, "When it is; at least one."))
    if windows.isEmpty { fields.report("windows", problem: "is missing", hint: "say when the peak is") }
    let tightened = base.tightenedForPeak
    objectives =
      fields.mapping("objectives", "What differs; the others stay, or get stricter as shown.") {
        Objectives($0, base: tightened)
      } ?? tightened
    let isForbidden = eviction.permission == .forbidden
    areEvictionsForbidden = fields.value(
      "evictions_forbidden", .bool, default: isForbidden, "Whether nothing may be evicted in a window.")
    if isForbidden, !areEvictionsForbidden {
      fields.report(
        "evictions_forbidden", problem: "is looser than eviction", hint: "eviction is forbidden at all times")
    }
  }
}
