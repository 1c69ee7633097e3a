import Runtime

/// How a store does, for metrics and pages.
public struct StoreHealth: Sendable, Equatable {
  public enum State: Sendable, Equatable {
    /// Changes reach the file within milliseconds.
    case durable
    /// Changes are in memory only, and the file is tried again; why, in words for people.
    case memoryOnly(reason: String)
  }

  public internal(set) var state: State
  /// Events that are not in the file yet.
  public internal(set) var pendingEvents = 0
  /// Events lost since the start, because memory for those that could not be written was full.
  public internal(set) var droppedEvents = 0
  /// Notifications that are not in the file yet, and those lost since the start.
  public internal(set) var pendingNotifications = 0
  public internal(set) var droppedNotifications = 0
  /// Results of jobs lost since the start, because memory for those that could not be written was full.
  public internal(set) var droppedJobResults = 0
  /// Results of checks lost since the start, because memory for those that could not be written was full.
  public internal(set) var droppedCheckResults = 0
  /// Marks dropped since the start because too many were waiting to be written.
  public internal(set) var droppedMarks = 0
  /// Evidence lost since the start, because memory for what could not be written was full.
  public internal(set) var droppedEvidence = 0
  /// Points of history that are not in the file yet.
  public internal(set) var pendingPoints = 0
  /// Points of history lost since the start, because memory for those that could not be written was full, or there were
  /// too many series.
  public internal(set) var droppedPoints = 0
  /// Counters, facts, alerts and points of history refused since the start by `StoreLimits`.
  public internal(set) var refusedRecords = 0
  /// Files set aside since the start because they were damaged or foreign.
  public internal(set) var filesSetAside = 0
  /// Failed tries to open or write since the start.
  public internal(set) var failures = 0
  /// When something was last written, in seconds since the epoch.
  public internal(set) var lastCommit: WallTime?

  public var isDurable: Bool { state == .durable }
}

/// Something that the operator should read in the log.
public struct StoreNotice: Sendable, Equatable {
  public enum Severity: Sendable { case info, warning, error }
  public let severity: Severity
  public let text: String
}
