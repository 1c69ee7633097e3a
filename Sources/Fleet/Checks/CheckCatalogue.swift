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
    RedlockQuorumLost(), RedlockRestarted(), RedlockSplit(),
    // What clients notice.
    Flushed(), ClientsRefused(), ClientsPaused(), HitRatioLow(),
    // What would be lost.
    PersistenceFailing(), RecoveryPointCrash(), RecoveryPointFailover(), BackupOld(),
    MemoryHigh(),
    // What applications keep in it.
    LockWithoutTTL(), LocksLong(), LockOverrun(), CircuitOpen(), CircuitWithoutTTL(), IdempotencyStuck(),
    IdempotencyWithoutTTL(), RateLimitWithoutTTL(), RateLimitForgets(), RateLimitLarge(), StreamGroupWithoutConsumer(),
    StreamLagHigh(),
    StreamPendingOld(),
    // How it is set up.
    MaxmemoryUnset(), EvictionPolicyUnfit(), PersistenceUnfit(), ForkHeadroomGone(), VersionSkew(), SettingsDrift(),
    DegradedModeUndeclared(), LatencyMonitorOff(), RedlockUnfit(),
    // Who could get at it, found by a look over each server.
    OpenLogin(), PublicAddress(), BindWide(), ProtectedModeOff(), DangerReach(), DangerPresent(), AllKeys(),
    DebugEnabled(), BreachSigns(), ClientUnexpected(), DeniedAttempt(), UserUnused(), TLSOff(), TLSInner(), TLSWeak(),
    CertificateExpiry(), CredentialAge(), KnownFaults(), EndOfLife(),
    // What files say of it.
    DeclaredDriftFound(),
    // How applications use it.
    HardcodedTopology(), OneRedisForAll(), QueueWithoutRegion(), BigKeyFound(),
  ]

  /// Those that need a look over each server.
  static let audit = all.compactMap { $0 as? any AuditCheck }
  static let others = all.filter { !($0 is any AuditCheck) }
  static let auditIDs = Set(audit.map(\.id))

  /// The ids of those that blame the configuration.
  static let blaming = Set(all.filter(\.blamesConfiguration).map(\.id))
}

/// The ids of checks, for those who pick some.
public enum CheckNames {
  /// Those that need a look over each server.
  public static let audit = CheckCatalogue.auditIDs
}
