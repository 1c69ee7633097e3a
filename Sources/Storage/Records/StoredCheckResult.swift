import Runtime

/// The result of a check that a command ran, as it is kept. Times are milliseconds since 1970, by the wall clock.
public struct StoredCheckResult: Sendable, Equatable {
  /// Ascending in the order of writing, from 1; 0 while it is not written yet.
  public internal(set) var id: Int64 = 0
  /// Cut at `StoreLimits.nameBytes`, as `workload` and `verdict` are.
  public let check: String
  public let workload: String
  public let startedAtMs: Int64
  public let endedAtMs: Int64
  public let verdict: String
  /// All of it as a JSON object. One that is longer than `StoreLimits.reportBytes` is replaced by its length.
  public let report: String

  public init(
    check: String, workload: String, startedAtMs: Int64, endedAtMs: Int64, verdict: String, report: String
  ) {
    self.check = check.cut(toBytes: StoreLimits.nameBytes)
    self.workload = workload.cut(toBytes: StoreLimits.nameBytes)
    self.startedAtMs = startedAtMs
    self.endedAtMs = endedAtMs
    self.verdict = verdict.cut(toBytes: StoreLimits.nameBytes)
    let length = report.utf8.count
    self.report = length <= StoreLimits.reportBytes ? report : "{\"omitted_bytes\":\"\(length)\"}"
  }

  /// A run that is handed in twice is kept once.
  struct Run: Hashable {
    let check, workload, verdict: String
    let startedAtMs, endedAtMs: Int64
  }
  var run: Run {
    Run(check: check, workload: workload, verdict: verdict, startedAtMs: startedAtMs, endedAtMs: endedAtMs)
  }
}

/// Which results of checks are asked for; every condition that is given must hold.
public struct CheckResultQuery: Sendable {
  public var check: String?
  public var workload: String?
  /// Whether only the newest of each check and workload are asked for: that of any verdict, and that with another than this.
  public var newestButOf: String?
  /// At most this many, the newest first; 1 to `StoreLimits.checkResults`.
  public var limit: Int

  public init(check: String? = nil, workload: String? = nil, limit: Int = 100) {
    self.check = check
    self.workload = workload
    self.limit = limit
  }

  var boundedLimit: Int { min(max(limit, 1), StoreLimits.checkResults) }

  func matches(_ result: StoredCheckResult) -> Bool {
    (check == nil || check == result.check) && (workload == nil || workload == result.workload)
  }
}

/// The results of checks of a store: appended, each run once; of too many, the check and workload with the most lose their
/// oldest. Age takes none away: what is due once a quarter must be known for longer.
public struct CheckResultStore: Sendable {
  let store: Store

  public func append(_ results: [StoredCheckResult]) { store.change { $0.append(results) } }

  /// The newest results that match, by their end, the newest first; also those that are not in the file yet.
  public func newest(_ query: CheckResultQuery = CheckResultQuery()) async -> [StoredCheckResult] {
    await store.newest(query)
  }
}
