/// The tables of a store, by version. A version that was released is never edited: the next one changes it.
struct Schema {
  /// The text that leads from each version to the next; the first one makes an empty file version 1.
  let migrations: [String]

  /// Written at offset 68 of the file ("RDLN"), so that another program's database is told apart.
  static let applicationID: Int64 = 0x5244_4C4E

  var version: Int { migrations.count }

  static let current = Schema(migrations: [
    """
    CREATE TABLE events(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      workload TEXT NOT NULL,
      node TEXT NOT NULL,
      kind TEXT NOT NULL,
      summary TEXT NOT NULL,
      details TEXT NOT NULL,
      key TEXT UNIQUE
    ) STRICT;
    CREATE INDEX events_by_time ON events(at_ms);
    CREATE INDEX events_by_workload ON events(workload, at_ms);
    CREATE INDEX events_by_kind ON events(kind, at_ms);
    CREATE TABLE counters(
      key TEXT PRIMARY KEY,
      value REAL NOT NULL,
      changed_at_seconds REAL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE facts(
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      changed_at_seconds REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
  ])

  /// Brings the tables to this version, each step in a transaction of its own.
  ///
  /// - Precondition: the file is new or at most this version.
  func migrate(_ database: Database) throws(SQLiteError) {
    let found = Int(try database.integer("PRAGMA user_version"))
    for (index, script) in migrations.enumerated().dropFirst(found) {
      try database.transaction { () throws(SQLiteError) in
        try database.execute("PRAGMA application_id = \(Self.applicationID)")
        try database.execute(script)
        try database.execute("PRAGMA user_version = \(index + 1)")
      }
    }
  }
}
