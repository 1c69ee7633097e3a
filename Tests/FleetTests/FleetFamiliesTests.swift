import Metrics
import Testing

@testable import Fleet

@Suite struct FleetFamiliesTests {
  /// What rules are evaluated for at once; a family says it where it is declared.
  @Test func whatCountsAsAnEvent() {
    #expect(
      Set(Family.ofEvents.map(\.name)) == [
        "up", "failovers_total", "failover_last_timestamp_seconds", "failover_info", "rejected_connections_total",
        "cluster_slots_fail", "cluster_slots_assigned", "workload_split_brain", "workload_masters_present",
        "workload_slots",
        "workload_sentinel_quorum", "sentinel_master_ckquorum_status",
      ])
  }

  /// Values are of labels that the family has, and only gauges need say that they grow.
  @Test func traitsFitTheirFamilies() {
    for family in FamilyGroup.ofFleet.flatMap(\.families) {
      #expect(Set(family.labelValues.keys).isSubset(of: family.labelNames), "\(family.name)")
      #expect(family.labelValues.values.allSatisfy { !$0.isEmpty }, "\(family.name)")
      #expect(!family.traits.contains(.growing) || family.type == .gauge, "\(family.name)")
    }
  }
}
