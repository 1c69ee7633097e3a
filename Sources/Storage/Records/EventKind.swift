/// What happened. The raw strings are a promise: they stand in files, on pages and in labels.
public enum EventKind: String, Sendable, CaseIterable {
  case roleChange = "role_change"
  case failover
  case failoverAborted = "failover_aborted"
  case restart
  case configChange = "config_change"
  case arrival
  case departure
  case unreachable
  case recovered
  case flush
  case maintenance
  case alertFired = "alert_fired"
  case alertResolved = "alert_resolved"
  /// A kind that a newer daemon wrote and this one does not know.
  case other
}
