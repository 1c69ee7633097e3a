import Runtime
import TestSupport
import Testing

@testable import Storage

/// Files of released versions become this one, with all that they hold.
@Suite(.timeLimit(.minutes(1))) struct MigrationTests {
  /// The tables of version 1 as they were released; never edited.
  static let first = """
    CREATE TABLE events(
      id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, workload TEXT NOT NULL, node TEXT NOT NULL,
      kind TEXT NOT NULL, summary TEXT NOT NULL, details TEXT NOT NULL, key TEXT UNIQUE
    ) STRICT;
    CREATE INDEX events_by_time ON events(at_ms);
    CREATE INDEX events_by_workload ON events(workload, at_ms);
    CREATE INDEX events_by_kind ON events(kind, at_ms);
    CREATE TABLE counters(key TEXT PRIMARY KEY, value REAL NOT NULL, changed_at_seconds REAL) STRICT, WITHOUT ROWID;
    CREATE TABLE facts(key TEXT PRIMARY KEY, value TEXT NOT NULL, changed_at_seconds REAL NOT NULL)
      STRICT, WITHOUT ROWID;
    """

  /// A file as a daemon of version 1 left it: `isKilled` without the last checkpoint, so that all is in the log.
  static func makeFirst(_ scratch: Scratch, eventCount: Int, isKilled: Bool) throws {
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    database.checkpointsOnClose = !isKilled
    try database.transaction { () throws(SQLiteError) in
      try database.execute("PRAGMA application_id = 1380207694")
      try database.execute(first)
      try database.execute("PRAGMA user_version = 1")
    }
    try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    try database.transaction { () throws(SQLiteError) in
      for number in 1...eventCount {
        try database.run(
          """
          INSERT INTO events(at_ms, workload, node, kind, summary, details, key)
          VALUES(?, 'w', 'n', 'failover', ?, ?, ?)
          """,
          [
            .integer(1_799_990_000_000 + Int64(number)), .text("event \(number)"),
            .text("{\"x\":\"\(String(repeating: "x", count: 400))\"}"), .text("\(number)"),
          ])
      }
      try database.execute(
        #"INSERT INTO counters VALUES('failovers{cause="automatic",workload="sessions"}', 41, 1799990000.5)"#)
      try database.execute("INSERT INTO facts VALUES('epoch', '7', 12)")
    }
  }

  @Test(arguments: [false, true])
  func versionOneKeepsEverything(isKilled: Bool) async throws {
    let scratch = Scratch()
    try Self.makeFirst(scratch, eventCount: 500, isKilled: isKilled)
    var store = try await scratch.open()
    for _ in 1...2 {
      let events = await store.events.newest(EventQuery(limit: 1000))
      #expect(events.count == 500 && events.first?.summary == "event 500" && events.first?.id == 500)
      #expect(store.counters[failovers] == Counter(value: 41, changed: 1_799_990_000.5))
      #expect(store.facts["epoch"] == Fact(value: "7", changed: 12))
      #expect(!store.events.append(.sample("known", key: "500")))
      #expect(store.health.filesSetAside == 0 && store.health.isDurable)
      store.alerts.put([.sample("a")])
      store.notifications.append([.sample(at: 1_799_999_000_000)])
      store.history.append([HistoryPoint(labels: "s", atMs: 1_799_999_000_000, value: 1)])
      store.jobResults.append([.sample("retention")])
      store.budgets.put([StoredBudget(.init(workload: "w", stepSeconds: 60, startSeconds: 3600), amounts: [1])])
      store.checkResults.append([.sample("backup")])
      #expect(await store.flush())
      await store.close()
      store = try await scratch.open()
    }
    #expect(store.alerts.all() == [.sample("a")])
    #expect(await store.jobResults.newest().map(\.job) == ["retention", "retention"])
    #expect(await store.checkResults.newest().map(\.check) == ["backup"])
    #expect(await store.budgets.load(workload: "w")?.map(\.amounts) == [[1]])
    #expect(await store.notifications.newest().count == 2)
    #expect(await store.history.load(sinceMs: 0).map(\.points.count) == [1])
    #expect(scratch.notices.withLock { $0.isEmpty })
    await store.close()
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    #expect(try database.integer("PRAGMA user_version") == 7)
    // It can shrink as a new one can.
    #expect(try database.integer("PRAGMA auto_vacuum") == 2)
    #expect(try database.rows("PRAGMA integrity_check") { $0.text(0) } == ["ok"])
  }

  /// Too large to be written anew at the start: it is used as it is.
  @Test func aLargeFileIsUsedAsItIs() async throws {
    let scratch = Scratch()
    try Self.makeFirst(scratch, eventCount: 19_000, isKilled: false)
    do {
      let database = try Database(path: scratch.path, busyTimeoutMs: 0)
      try database.execute("UPDATE events SET details = details || details")
    }
    let store = try await scratch.open()
    #expect(store.counters[failovers]?.value == 41)
    store.alerts.put([.sample("a")])
    #expect(await store.flush())
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    #expect(try database.integer("SELECT count(*) FROM events") == 19_000)
    #expect(try database.integer("PRAGMA auto_vacuum") == 0)
  }

  @Test func aFreshFileAndAMigratedOneHaveTheSameTables() async throws {
    let old = Scratch()
    let new = Scratch()
    try Self.makeFirst(old, eventCount: 1, isKilled: false)
    func tables(_ scratch: Scratch) async throws -> [String] {
      await (try scratch.open()).close()
      let database = try Database(path: scratch.path, busyTimeoutMs: 0)
      return try database.rows("SELECT name, sql FROM sqlite_master ORDER BY name") { row in
        (row.text(0) + row.text(1)).filter { !$0.isWhitespace }
      }
    }
    #expect(try await tables(old) == tables(new))
  }
}
