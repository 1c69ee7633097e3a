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
}

/// How long events are kept, and how the file is written.
public struct StoreOptions: Sendable {
  /// Events older than this are removed, in days.
  public var eventAgeDays: Double = 90
  /// Of more events than this the oldest are removed.
  public var eventCount: Int = 20_000
  /// Events held in memory while they cannot be written; then the oldest are dropped.
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
