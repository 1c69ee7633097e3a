import Glibc

/// A task executor with one thread of its own, for work that would hold up others: rendering, compression, password hashes, files.
///
/// The default pool only coordinates. Two tasks of 300 ms there put polls and probes 260 ms late, and the daemon would
/// report its own load as the latency of Redis.
public final class WorkExecutor: TaskExecutor {
  /// Rendering, compression, password hashes, queries.
  public static let compute = WorkExecutor("compute")
  /// The evaluation of rules: a page that is being rendered must not make an alert late.
  public static let rules = WorkExecutor("rules")
  /// Files and the database.
  public static let files = WorkExecutor("files")
  /// The flight recorder: neither a disk that hangs nor its work may hold up anything else.
  public static let recorder = WorkExecutor("recorder")
  /// One for each query that is worked on at a time: a long one must hold up neither rules nor the next query.
  public static let queries = (1...4).map { WorkExecutor("query-\($0)") }

  /// Where processors are short, event loops go before this work: a page may be late, a poll must not.
  private static let niceness: Int32 = 5

  private struct Queue {
    var jobs: [UnownedJob] = []
    var isStarted = false
    /// Jobs that were begun, and those of them that have ended.
    var begunCount = 0
    var endedCount = 0
  }
  /// What the executor is for, also the name of its thread.
  public let name: String
  private let queue = Lock(Queue())
  private let wakeup = Semaphore()

  private init(_ name: String) { self.name = name }

  deinit {
    preconditionFailure("a WorkExecutor lives as long as the process")
  }

  /// How many jobs were begun; nil while there is nothing to do. Where it never changes, the thread stands still.
  public var jobNumber: Int? {
    queue.withLock { $0.begunCount == $0.endedCount && $0.jobs.isEmpty ? nil : $0.begunCount }
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustStart = queue.withLock { queue in
      queue.jobs.append(job)
      defer { queue.isStarted = true }
      return !queue.isStarted
    }
    if mustStart {
      let isStarted = startThread(named: name) { self.run() }
      precondition(isStarted, "the system has no room for the thread \(name)")
    }
    wakeup.signal()
  }

  private func run() {
    // On Linux this is the thread's own.
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
    while true {
      wakeup.wait()
      let jobs = queue.withLock { queue in
        defer { queue.jobs = [] }
        return queue.jobs
      }
      for job in jobs {
        queue.withLock { $0.begunCount += 1 }
        unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        queue.withLock { $0.endedCount += 1 }
      }
    }
  }
}
