import Runtime

/// What a run of a job left. Times are milliseconds since 1970, by the wall clock.
public struct JobResult: Sendable, Equatable {
  public enum Outcome: String, Sendable, CaseIterable {
    case succeeded, failed
    /// It took longer than it may.
    case timedOut = "timed_out"
    /// The process ended before the run did.
    case interrupted
  }

  /// Ascending in the order of writing, from 1; 0 while it is not written yet.
  public internal(set) var id: Int64 = 0
  /// Cut at `StoreLimits.nameBytes`, as `workload` is.
  public let job: String
  /// The workload that it is about; nil for none.
  public let workload: String?
  public let startedAtMs: Int64
  public let endedAtMs: Int64
  public let outcome: Outcome
  /// A JSON object with what the run found. One that is longer than `StoreLimits.reportBytes` is replaced by its length.
  public let report: String

  public init(
    job: String, workload: String? = nil, startedAtMs: Int64, endedAtMs: Int64, outcome: Outcome, report: String
  ) {
    self.job = job.cut(toBytes: StoreLimits.nameBytes)
    self.workload = workload?.cut(toBytes: StoreLimits.nameBytes)
    self.startedAtMs = startedAtMs
    self.endedAtMs = endedAtMs
    self.outcome = outcome
    let length = report.utf8.count
    self.report = length <= StoreLimits.reportBytes ? report : "{\"omitted_bytes\":\"\(length)\"}"
  }
}

/// Which results are asked for; every condition that is given must hold.
public struct JobResultQuery: Sendable {
  public var job: String?
  public var workload: String?
  public var outcome: JobResult.Outcome?
  /// At most this many, the newest first; 1 to `StoreLimits.jobResults`.
  public var limit: Int

  public init(job: String? = nil, workload: String? = nil, outcome: JobResult.Outcome? = nil, limit: Int = 100) {
    self.job = job
    self.workload = workload
    self.outcome = outcome
    self.limit = limit
  }

  public var boundedLimit: Int { min(max(limit, 1), StoreLimits.jobResults) }

  public func matches(_ result: JobResult) -> Bool {
    (job == nil || job == result.job) && (workload == nil || workload == result.workload)
      && (outcome == nil || outcome == result.outcome)
  }
}
