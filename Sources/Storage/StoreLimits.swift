/// What a store may hold. Everything in it comes from foreign servers in the end, so everything has a bound.
public enum StoreLimits {
  /// Summary of an event.
  public static let summaryBytes = 512
  /// Details of an event.
  public static let detailsBytes = 16 << 10
  /// Workload and node of an event.
  public static let nameBytes = 256
  /// Key of an event, a counter or a fact; what is longer is refused.
  public static let keyBytes = 1024
  /// Value of a fact; what is longer is refused.
  public static let factBytes = 4 << 10
  /// How many counters, and how many facts; more are refused.
  public static let records = 20_000
  /// How many alerts; more are refused.
  public static let alerts = 50_000
  /// Labels of an alert; what is longer is refused.
  public static let labelsBytes = 16 << 10
  /// Annotations of an alert.
  public static let annotationsBytes = 32 << 10
  /// Report of a result of a job.
  public static let reportBytes = 64 << 10
  /// How many results of jobs are kept.
  public static let jobResults = 1_000
  /// Results of jobs held in memory while they cannot be written; then the oldest are dropped.
  static let pendingJobResults = 100
  /// How many results of checks are kept.
  public static let checkResults = 1_000
  /// Results of checks held in memory while they cannot be written; then the oldest are dropped.
  static let pendingCheckResults = 100
  /// How many marks are kept.
  public static let marks = 1_000
  /// Marks held in memory while they cannot be written; then the oldest are dropped.
  static let pendingMarks = 100
  /// A row of error budgets; what is longer is refused.
  static let budgetBytes = 4 << 10
  /// How many rows of error budgets: some 87 for each workload, for more than 1,000 of them.
  public static let budgetRows = 100_000
  /// Rows of one workload that are read.
  static let budgetRowsOfWorkload = 500
  /// How long an hour of minutes is kept, and a day of hours.
  public static let budgetMinutesSeconds: Int64 = 50 * 3600
  public static let budgetHoursSeconds: Int64 = 36 * 86_400
  /// How much evidence is kept.
  public static let evidence = 500
  /// What lists show of it.
  public static let evidenceHeadBytes = 8 << 10
  /// All of one, deflated.
  public static let evidenceBytes = 64 << 10
  /// Evidence held in memory while it cannot be written; then the oldest is dropped.
  static let pendingEvidence = 50
  /// Labels of a series of history; what is longer is refused.
  public static let seriesBytes = 4 << 10
  /// How many series of history; points of more are dropped.
  public static let series = 100_000
  /// How many points of history are read at once; then only the newest.
  public static let loadedPoints = 20_000_000
  /// Points in one row of the file.
  static let framePoints = 32_768
  /// A row that is longer was not written by us: times and series of a point take at most 16 bytes, its value 8.
  static let frameBytes = 24 * framePoints
}

/// How long records are kept, and how the file is written.
public struct StoreOptions: Sendable {
  /// Events, notifications, evidence and marks older than this are removed, in days.
  public var eventAgeDays: Double = 90
  /// Of more events than this the oldest are removed.
  public var eventCount: Int = 20_000
  /// Of more notifications than this the oldest are removed.
  public var notificationCount: Int = 10_000
  /// Points of history older than this are removed, in milliseconds, unless `HistoryStore.retain(ms:)` says otherwise.
  public var historyRetentionMs: Int64 = 26 * 3_600_000
  /// Of more points of history than this the oldest are removed. A point takes 3 to 12 bytes of the file.
  public var historyPointCount: Int = 20_000_000
  /// How long points of history are gathered before they are written in one transaction.
  public var historyDelayMs: Int = 1_000
  /// Points of history held in memory while they cannot be written; then the oldest are dropped.
  public var pendingPointCount: Int = 200_000
  /// Events, and notifications, held in memory while they cannot be written; then the oldest are dropped.
  public var pendingEventCount: Int = 5_000
  /// How long changes are gathered before they are written in one transaction.
  public var commitDelayMs: Int = 5
  /// How long a write waits for another process, such as `sqlite3`, that holds the database.
  public var busyTimeoutMs: Int = 500
  /// The first pause before a failed write is tried again; it doubles up to `retryMaxMs`.
  public var retryMs: Int = 1_000
  public var retryMaxMs: Int = 30_000

  public init() {}
}
