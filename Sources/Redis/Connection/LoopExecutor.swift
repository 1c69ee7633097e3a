import NIOCore

/// An event loop as the preferred executor of tasks.
///
/// What an actor on an event loop awaits from a callback comes back by the shared threads first, and from there to its
/// loop: two changes of thread for every reply. A task that prefers the loop comes back at once.
@safe public final class LoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute {
      // Actors on this loop are then entered without being queued again.
      unsafe job.runSynchronously(
        isolatedTo: self.eventLoop.executor.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
    }
  }
}
