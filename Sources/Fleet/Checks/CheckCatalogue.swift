/// Every check, in the order in which their findings are shown: a new one is a file and a line here.
enum CheckCatalogue {
  static let all: [any Check] = [
    // Who is there.
    ServerUnfit(), NoMemberAnswers(), MastersMissing(), MembersMissing(), NodeDown(), MembersRefused(),
    ProbeUnanswered(),
    // Who follows whom.
    SplitBrain(), DemotedMaster(), ReplicaFaults(), ReplicaSyncing(), UnwatchedReplicas(), ReplicationLagHigh(),
    SlotsUncovered(), SlotsDisputed(), SlotsMoving(), SlotMigrationTroubled(), ClusterNodeFailed(),
    MasterWithoutReplica(),
    SentinelsMissing(), SentinelMasterUnknown(), SentinelMasterDown(), SentinelQuorumLost(), SentinelsDisagree(),
    FailoverUnderWay(), FailoversUnconfirmed(), SentinelSettings(),
    // What clients notice.
    Flushed(), ClientsRefused(), ClientsPaused(), HitRatioLow(),
    // What would be lost.
    PersistenceFailing(), RecoveryPointCrash(), RecoveryPointFailover(), BackupOld(),
    MemoryHigh(),
    // What applications keep in it.
    LockWithoutTTL(), CircuitOpen(), StreamGroupWithoutConsumer(), StreamLagHigh(), StreamPendingOld(),
    // How it is set up.
    MaxmemoryUnset(), EvictionPolicyUnfit(), PersistenceUnfit(), ForkHeadroomGone(), VersionSkew(), SettingsDrift(),
    DegradedModeUndeclared(), LatencyMonitorOff(),
  ]

  /// The ids of those that blame the configuration.
  static let blaming = Set(all.filter(\.blamesConfiguration).map(\.id))
}
