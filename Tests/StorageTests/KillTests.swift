import Glibc
import Runtime
import Testing

@testable import Storage

/// The end of the process at any moment.
@Suite(.timeLimit(.minutes(1))) struct KillTests {
  /// The child writes until it is killed by SIGKILL in the middle, and notes down what it was promised.
  @Test(arguments: [20, 90])
  func whatWasFlushedSurvives(killAfterMs: Int) async throws {
    let scratch = Scratch()
    let directory = scratch.directory
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [directory = directory as String, killAfterMs = killAfterMs as Int] in
      let store = try await Store.open(directory + "/redline.db", notice: { _ in })
      let promise = unsafe Glibc.open(directory + "/promise", O_WRONLY | O_CREAT, 0o600)
      for number in 1...1_000_000 {
        store.events.append(.sample("event \(number)", key: "\(number)"), counting: [failovers])
        guard number % 7 == 0, await store.flush() else { continue }
        let text = Array("\(number)\n".utf8)
        _ = unsafe pwrite(promise, text, text.count, 0)
        guard number == 7 else { continue }
        Task.detached {
          try await Task.sleep(for: .milliseconds(killAfterMs))
          kill(getpid(), SIGKILL)
        }
      }
    }
    let text = try #require(SmallFile.text(scratch.directory + "/promise"))
    let promised = try #require(Int(text.dropLast()))
    let store = try await scratch.open()
    let events = await store.events.newest(EventQuery(limit: 10_000))
    #expect(promised > 0)
    #expect(store.health.filesSetAside == 0)
    #expect(min(promised, 10_000) <= events.count)
    // An event and its count are in the file together or not at all.
    #expect(store.counters[failovers]?.value == Double(events.first.flatMap { Int($0.key ?? "") } ?? 0))
  }

  @Test func aCopyTakenWhileOpenHoldsWhatWasFlushed() async throws {
    let scratch = Scratch()
    let other = Scratch()
    let store = try await scratch.open()
    for number in 1...50 { store.events.append(.sample("\(number)", key: "\(number)"), counting: [failovers]) }
    await store.flush()
    let log = try #require(scratch.bytes(scratch.path + "-wal"))
    other.write(try #require(scratch.bytes(scratch.path)), to: other.path)
    // A half-written transaction at the end of the log is what a kill leaves.
    other.write(log + log[32..<2000], to: other.path + "-wal")
    let copy = try await other.open()
    #expect(copy.counters[failovers]?.value == 50)
    #expect(await copy.events.newest().count == 50)
    #expect(copy.health.filesSetAside == 0)
  }
}
