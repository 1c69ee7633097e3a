import Logging
import Metrics
import Runtime
import Storage

/// What takes minutes or waits for its time, and leaves a result that outlives the process.
///
/// A job says what is to be done. When it runs, how often it is tried again, how long it may take, and what becomes of its
/// result is the business of ``JobRunner``.
public protocol Job: Sendable {
  /// A short, stable name in lower case: the value of the label `task`, and what its results are kept under.
  var name: String { get }
  var schedule: JobSchedule { get }
  /// After this long a run is cancelled and counts as timed out, whether it ends or not.
  var limit: Duration { get }
  /// What ``add(_:into:)`` adds samples to.
  var families: [Family] { get }

  /// - Returns: what it found; of a job that looks at workloads, one report for each.
  /// - Throws: what went wrong, in words for people. It is tried again.
  func run(_ context: JobContext) async throws -> [JobReport]
  /// Adds what the newest run that succeeded found.
  func add(_ reports: [JobReport], into sink: inout SampleSink)
}

extension Job {
  public var limit: Duration { .seconds(300) }
  public var families: [Family] { [] }
  public func add(_ reports: [JobReport], into sink: inout SampleSink) {}
}

/// When a job runs.
public enum JobSchedule: Sendable, Equatable {
  /// So long after the start of the run before, also over restarts.
  case every(seconds: Double)
  /// Each day so many seconds after midnight UTC; a day that was missed is made up for at the next start.
  case daily(secondOfDay: Double)
  /// When somebody asks.
  case onDemand
}

/// What a run may use.
public struct JobContext: Sendable {
  /// Nil without storage.path.
  public let store: Store?
  public let started: WallTime
  public let log: Logger
  /// Nil where a job runs without servers.
  var fleet: Fleet?
}

/// What a run found.
public struct JobReport: Sendable, Equatable {
  /// What it is about; nil for none in particular.
  public var workload: String?
  /// Finite ones only.
  public var numbers: [String: Double]
  public var lines: [String]

  public init(workload: String? = nil, numbers: [String: Double] = [:], lines: [String] = []) {
    self.workload = workload
    self.numbers = numbers.filter { $0.value.isFinite }
    self.lines = lines
  }
}
