import Glibc

/// A task executor with one thread of its own, for work that would hold up others: rendering, compression, password hashes, files.
///
/// The default pool only coordinates. Two tasks of 300 ms there put polls and probes 260 ms late, and the daemon would
/// report its own load as the latency of Redis.
@safe public final class WorkExecutor: TaskExecutor, @unchecked Sendable {
  /// Rendering, compression, password hashes, queries.
  public static let compute = WorkExecutor()
  /// The evaluation of rules: a page that is being rendered must not make an alert late.
  public static let rules = WorkExecutor()
  /// Files and the database.
  public static let files = WorkExecutor()
  /// One for each query that is worked on at a time: a long one must hold up neither rules nor the next query.
  public static let queries = [WorkExecutor(), WorkExecutor(), WorkExecutor(), WorkExecutor()]

  /// Where processors are short, event loops go before this work: a page may be late, a poll must not.
  private static let niceness: Int32 = 5

  private struct Queue {
    var jobs: [UnownedJob] = []
    var isStarted = false
  }
  private let queue = Lock(Queue())
  private let wakeup: UnsafeMutablePointer<sem_t>

  private init() {
    unsafe wakeup = .allocate(capacity: 1)
    let status = unsafe sem_init(wakeup, 0, 0)
    precondition(status == 0, "sem_init: errno \(errno)")
  }

  deinit {
    preconditionFailure("a WorkExecutor lives as long as the process")
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustStart = queue.withLock { queue in
      queue.jobs.append(job)
      defer { queue.isStarted = true }
      return !queue.isStarted
    }
    if mustStart { startThread() }
    unsafe sem_post(wakeup)
  }

  private func startThread() {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { context in
        let executor = unsafe Unmanaged<WorkExecutor>.fromOpaque(context!).takeUnretainedValue()
        executor.run()
      }, context)
    precondition(status == 0, "pthread_create: \(status)")
    pthread_detach(thread)
  }

  private func run() -> Never {
    // On Linux this is the thread's own.
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
    while true {
      while unsafe sem_wait(wakeup) != 0 {}
      let jobs = queue.withLock { queue in
        defer { queue.jobs = [] }
        return queue.jobs
      }
      for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
  }
}
