import NIOCore
import NIOPosix
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(1))) struct LoopExecutorTests {
  /// An actor on an event loop, as pollers and probers are.
  actor Waiter {
    nonisolated let eventLoop: any EventLoop
    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }
    nonisolated var unownedExecutor: UnownedSerialExecutor {
      unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    /// Awaits a callback of the loop, and what the actor does then.
    func wait() async -> Int {
      await withCheckedContinuation { continuation in
        _ = eventLoop.scheduleTask(in: .milliseconds(1)) { continuation.resume(returning: 1) }
      }
    }
  }

  @Test func aTaskThatPrefersALoopComesBackToIt() async {
    let group = MultiThreadedEventLoopGroup.singleton
    let loop = group.next()
    let executor = LoopExecutor(loop)
    let waiter = Waiter(loop)
    let task = Task(executorPreference: executor) {
      var places: [Bool] = []
      for _ in 0..<3 {
        _ = await waiter.wait()
        await withCheckedContinuation { continuation in
          loop.scheduleTask(in: .milliseconds(1)) { continuation.resume() }
        }
        places.append(loop.inEventLoop)
      }
      return places
    }
    #expect(await task.value == [true, true, true])
  }
}
