import Glibc
import Runtime
import TestSupport
import Testing

@testable import Storage

/// Files that cannot be written for a while: nothing but the surplus of events is lost, and it heals by itself.
@Suite(.timeLimit(.minutes(1))) struct DegradedTests {
  @Test func aFullDiskIsSurvived() async throws {
    let scratch = Scratch()
    var options = StoreOptions.quick
    options.pendingEventCount = 100
    var store = try await scratch.open(options)
    let details = String(repeating: "x", count: 5000)
    try await store.limit(pages: 20)
    for number in 1...150 {
      store.events.append(
        Event(
          at: 1_799_990_000 + Double(number), workload: "w", kind: .restart, summary: "\(number)",
          details: details,
          key: "\(number)"), counting: [failovers])
    }
    #expect(!(await store.flush()))
    guard case .memoryOnly(let reason) = store.health.state else {
      Issue.record("\(store.health)")
      return
    }
    #expect(reason.contains("full"))
    #expect(store.health.droppedEvents >= 50 && store.health.pendingEvents <= 100)
    #expect(store.counters[failovers]?.value == 150)
    #expect(await store.events.newest(EventQuery(limit: 1)).map(\.summary) == ["150"])
    // Said once, however often it is tried.
    #expect(await eventually { store.health.failures >= 5 })
    #expect(scratch.notices.withLock { $0.map(\.severity) } == [.warning])

    try await store.limit(pages: 100_000)
    #expect(await eventually { store.health.isDurable && store.health.pendingEvents == 0 })
    #expect(scratch.notices.withLock { $0.map(\.severity) } == [.warning, .info])
    await store.close()
    store = try await scratch.open()
    #expect(store.counters[failovers]?.value == 150)
    #expect(await store.events.newest(EventQuery(limit: 1000)).count == 150 - 50)
  }

  @Test func aDatabaseHeldByAnotherProcessIsWaitedFor() async throws {
    let scratch = Scratch()
    let store = try await scratch.open()
    let holder = try Database(path: scratch.path, busyTimeoutMs: 100)
    try holder.execute("BEGIN IMMEDIATE")
    store.counters.add(failovers, at: 1)
    #expect(await eventually { !store.health.isDurable })
    try holder.execute("COMMIT")
    #expect(await eventually { store.health.isDurable })
    #expect(try holder.integer("SELECT value FROM counters") == 1)
  }

  @Test func aDirectoryThatAppearsLaterIsUsed() async throws {
    let scratch = Scratch()
    let missing = scratch.directory + "/a"
    let path = missing + "/b/redline.db"
    let store = try await Store.open(path, options: .quick, notice: { _ in })
    #expect(!store.health.isDurable)
    store.events.append(.sample("in memory", key: "k"), counting: [failovers])
    #expect(await store.events.newest().map(\.summary) == ["in memory"])
    scratch.makeDirectory(missing)
    #expect(await eventually { store.health.isDurable && store.health.pendingEvents == 0 })
    #expect(await store.events.newest().map(\.id) == [1])
    await store.close()
    for name in ["redline.db", "redline.db.lock"] { scratch.remove("\(missing)/b/\(name)") }
    scratch.removeDirectory(missing + "/b")
    scratch.removeDirectory(missing)
  }

  /// In a process of its own, which gives up root: no mode of a directory stops root.
  @Test func aReadOnlyDirectoryIsSurvived() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      var store = try await scratch.open()
      store.counters.add(failovers, 5, at: 1)
      store.events.append(.sample("first", key: "1"), counting: [failovers])
      await store.close()
      if geteuid() == 0 {
        for path in [scratch.directory] + scratch.names.map({ "\(scratch.directory)/\($0)" }) {
          _ = unsafe chown(path, 65_534, 65_534)
        }
        try #require(seteuid(65_534) == 0)
      }
      _ = unsafe chmod(scratch.path + ".lock", 0o400)
      _ = unsafe chmod(scratch.directory, 0o500)

      store = try await scratch.open()
      try #require(!store.health.isDurable)
      store.events.append(.sample("first", key: "1"), counting: [failovers])
      store.events.append(.sample("second", key: "2"), counting: [failovers])
      // What the file knew already is not counted again.
      try #require(store.counters[failovers]?.value == 7)
      try #require(await store.events.newest().map(\.summary) == ["second", "first"])

      _ = unsafe chmod(scratch.directory, 0o700)
      _ = unsafe chmod(scratch.path + ".lock", 0o600)
      try #require(await eventually { store.health.isDurable })
      try #require(store.counters[failovers]?.value == 7)
      try #require(await store.events.newest().map(\.summary) == ["second", "first"])
      await store.close()
    }
  }

  /// A limit on file sizes fails writes as a failing disk does, with an I/O error, at any byte.
  @Test func writesCutShortAreSurvived() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      signal(SIGXFSZ, SIG_IGN)
      var store = try await scratch.open()
      await store.flush()
      func allow(bytes: UInt) {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = bytes
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      }
      allow(bytes: 20_001)
      for number in 1...300 {
        store.events.append(.sample("event \(number)", key: "\(number)"), counting: [failovers])
      }
      try #require(await store.flush() == false)
      try #require(store.health.pendingEvents == 300)
      allow(bytes: UInt(Int.max))
      try #require(await eventually { store.health.isDurable })
      try #require(await store.flush())
      await store.close()
      store = try await scratch.open()
      try #require(store.health.filesSetAside == 0)
      try #require(store.counters[failovers]?.value == 300)
      try #require(await store.events.newest(EventQuery(limit: 1000)).count == 300)
    }
  }
}
