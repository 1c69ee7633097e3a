import Runtime
import TestSupport
import Testing

@testable import Storage

/// Files that a store must neither use nor overwrite.
@Suite(.timeLimit(.minutes(1))) struct SetAsideTests {
  enum Stranger: String, CaseIterable, Sendable {
    case text, noise, shortHeader, foreignDatabase, foreignDatabaseWithLog, damagedPages, cutShort, missingTable,
      missingAlerts, missingHistory

    func make(_ scratch: Scratch) async throws {
      switch self {
      case .text: scratch.write(Array("groceries: milk, eggs\n".utf8), to: scratch.path)
      case .noise:
        scratch.write((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }, to: scratch.path)
      case .shortHeader: scratch.write(Array("SQLite format 3\0".utf8), to: scratch.path)
      case .foreignDatabase:
        let database = try Database(path: scratch.path, busyTimeoutMs: 0)
        try database.execute("CREATE TABLE recipes(id INTEGER); INSERT INTO recipes VALUES(1)")
      case .foreignDatabaseWithLog:
        let database = try Database(path: scratch.path, busyTimeoutMs: 0)
        try database.execute("PRAGMA journal_mode=WAL; PRAGMA application_id = 7; CREATE TABLE recipes(id INTEGER)")
      // Closed without a checkpoint: the table is only in the log.
      case .damagedPages:
        try await fill(scratch)
        scratch.write([UInt8](repeating: 0xAA, count: 8192), to: scratch.path, at: 4096)
      case .cutShort:
        try await fill(scratch)
        scratch.truncate(scratch.path, bytes: 5000)
      case .missingTable: try await drop("facts", of: scratch)
      case .missingAlerts: try await drop("alerts", of: scratch)
      case .missingHistory: try await drop("history_frames", of: scratch)
      }
    }

    private func drop(_ table: String, of scratch: Scratch) async throws {
      try await fill(scratch)
      let database = try Database(path: scratch.path, busyTimeoutMs: 0)
      database.checkpointsOnClose = true
      try database.execute("DROP TABLE \(table)")
    }

    private func fill(_ scratch: Scratch) async throws {
      let store = try await scratch.open()
      for number in 0..<500 { store.events.append(.sample("event \(number)", key: "\(number)")) }
      await store.close()
    }
  }

  @Test(arguments: Stranger.allCases)
  func isSetAsideWhole(_ stranger: Stranger) async throws {
    let scratch = Scratch()
    try await stranger.make(scratch)
    let original = scratch.bytes(scratch.path)
    let log = scratch.bytes(scratch.path + "-wal")

    let store = try await scratch.open()
    #expect(store.health.filesSetAside == 1 && store.health.isDurable)
    let aside = scratch.path + ".corrupt-20270115T080000Z"
    #expect(scratch.bytes(aside) == original)
    if stranger == .foreignDatabaseWithLog { #expect(scratch.bytes(aside + "-wal") == log && log != nil) }
    let notices = scratch.notices.withLock { $0 }
    #expect(notices.map(\.severity) == [.error])
    #expect(notices.first?.text.contains(aside) == true)

    store.counters.add(failovers, at: 1)
    #expect(await store.flush())
    await store.close()
    let again = try await scratch.open()
    #expect(again.counters[failovers]?.value == 1)
    #expect(scratch.notices.withLock { $0.count } == 1)
    #expect(again.health.filesSetAside == 0)
  }

  @Test func anEarlierFileSetAsideIsNotOverwritten() async throws {
    let scratch = Scratch()
    for text in ["one", "two", "three"] {
      scratch.remove(scratch.path)
      scratch.write(Array(text.utf8), to: scratch.path)
      await (try scratch.open()).close()
    }
    let contents = scratch.namesSetAside.map { scratch.bytes("\(scratch.directory)/\($0)") }
    #expect(contents == ["one", "two", "three"].map { Array($0.utf8) })
  }

  @Test(arguments: [false, true])
  func aNewerSchemaIsRefusedAndUntouched(isOnlyInLog: Bool) async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.counters.add(failovers, at: 1)
    await store.close()
    do {
      let database = try Database(path: scratch.path, busyTimeoutMs: 0)
      database.checkpointsOnClose = !isOnlyInLog
      try database.execute("PRAGMA user_version = 99")
    }
    let before = scratch.bytes(scratch.path)
    let log = scratch.bytes(scratch.path + "-wal")
    await #expect(throws: StoreError.newerSchema(path: scratch.path, found: 99, supported: Schema.current.version)) {
      try await scratch.open()
    }
    #expect(scratch.bytes(scratch.path) == before && scratch.bytes(scratch.path + "-wal") == log)
    #expect(scratch.namesSetAside.isEmpty)

    // The refusal lets go of the lock.
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    database.checkpointsOnClose = true
    try database.execute("PRAGMA user_version = \(Schema.current.version); PRAGMA wal_checkpoint(TRUNCATE)")
    store = try await scratch.open()
    #expect(store.counters[failovers]?.value == 1)
  }

  @Test func aDirectoryIsRefused() async throws {
    let scratch = Scratch()
    scratch.makeDirectory(scratch.path)
    defer { scratch.removeDirectory(scratch.path) }
    await #expect(throws: StoreError.notAFile(path: scratch.path)) { try await scratch.open() }
  }

  @Test func damageWhileOpenCostsNoCounter() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    for number in 1...500 { store.events.append(.sample("\(number)", key: "\(number)"), counting: [failovers]) }
    store.facts.set("epoch", to: "7", at: 1)
    await store.flush()
    let other = try Database(path: scratch.path, busyTimeoutMs: 100)
    try other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scratch.write([UInt8](repeating: 0xAA, count: 40_960), to: scratch.path, at: 4096)
    store.events.append(.sample("after", key: "after"), counting: [failovers])
    #expect(await store.flush())
    #expect(store.health.filesSetAside == 1 && store.health.isDurable)
    #expect(scratch.notices.withLock { $0.map(\.severity) } == [.error])
    await store.close()
    store = try await scratch.open()
    #expect(store.counters[failovers]?.value == 501 && store.facts["epoch"]?.value == "7")
    #expect(await store.events.newest().map(\.summary) == ["after"])
  }

  @Test func aFileMovedAwayIsMadeAgainFromMemory() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.events.append(.sample("failover", key: "sessions/7"), counting: [failovers])
    store.facts.set("epoch", to: "7", at: 1)
    await store.flush()
    for suffix in ["", "-wal", "-shm"] { scratch.rename(scratch.path + suffix, to: scratch.path + ".old" + suffix) }
    store.counters.add(failovers, at: 2)
    #expect(await store.flush())
    #expect(!store.events.append(.sample("failover", key: "sessions/7")))
    await store.close()
    store = try await scratch.open()
    #expect(store.counters[failovers]?.value == 2 && store.facts["epoch"]?.value == "7")
  }
}
