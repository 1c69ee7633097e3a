import Metrics

extension Family {
  /// Every family that the fleet's parts export, those apart that servers name.
  public static var ofFleet: [Family] {
    CollectorCatalogue.all.flatMap(\.families) + PollFamilies.all + KeyWork.families + WorkloadFamilies.all
      + FailoverFamilies.all + ObjectiveFamilies.all + JudgementFamilies.all + ProbeFamilies.all
      + LoadFamilies.all + WatchFamilies.all
  }
}

extension Family {
  /// The families of which a change is an event: a node or its role is lost or found, a failover, clients turned away.
  /// Alerts that rest on them need not wait for their turn.
  public static var ofEvents: [Family] {
    ofFleet.filter { eventNames.contains($0.name) }
  }

  static let eventNames: Set = [
    "up", "failovers_total", "failover_last_timestamp_seconds", "rejected_connections_total", "cluster_slots_fail",
    "cluster_slots_assigned", "workload_split_brain", "workload_masters_present", "workload_slots",
    "workload_sentinel_quorum", "sentinel_master_ckquorum_status",
  ]
}
