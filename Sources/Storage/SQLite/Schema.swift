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
    """,
    // The value is there twice: to the bit, and for people, as which NaN is null.
    """
    CREATE TABLE alerts(
      rule TEXT NOT NULL,
      labels TEXT NOT NULL,
      annotations TEXT NOT NULL,
      value REAL,
      value_bits INTEGER NOT NULL,
      state TEXT NOT NULL,
      active_at_ms INTEGER NOT NULL,
      fired_at_ms INTEGER,
      resolved_at_ms INTEGER,
      keep_firing_since_ms INTEGER,
      last_sent_at_ms INTEGER,
      PRIMARY KEY(rule, labels)
    ) STRICT;
    CREATE TABLE notifications(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      alertname TEXT NOT NULL,
      labels TEXT NOT NULL,
      state TEXT NOT NULL,
      startsat_ms INTEGER NOT NULL,
      endsat_ms INTEGER,
      alertmanager TEXT NOT NULL,
      outcome TEXT NOT NULL
    ) STRICT;
    CREATE INDEX notifications_by_time ON notifications(at_ms);
    CREATE TABLE history_series(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      labels TEXT NOT NULL UNIQUE,
      last_day INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE history_frames(
      id INTEGER PRIMARY KEY,
      from_ms INTEGER NOT NULL,
      until_ms INTEGER NOT NULL,
      point_count INTEGER NOT NULL,
      points BLOB NOT NULL
    ) STRICT;
    CREATE INDEX history_frames_by_time ON history_frames(until_ms, from_ms, point_count);
    """,
    """
    CREATE TABLE job_results(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      job TEXT NOT NULL,
      workload TEXT,
      started_at_ms INTEGER NOT NULL,
      ended_at_ms INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      report TEXT NOT NULL
    ) STRICT;
    CREATE INDEX job_results_by_job ON job_results(job, id);
    """,
    // By time first: the rows that all workloads write in an hour lie side by side.
    """
    CREATE TABLE budgets(
      step_seconds INTEGER NOT NULL,
      start_seconds INTEGER NOT NULL,
      workload TEXT NOT NULL,
      amounts BLOB NOT NULL,
      PRIMARY KEY(step_seconds, start_seconds, workload)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX budgets_by_workload ON budgets(workload);
    """,
    """
    CREATE TABLE evidence(
      id TEXT PRIMARY KEY,
      workload TEXT NOT NULL,
      node TEXT NOT NULL,
      alert TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      fired_at_ms INTEGER,
      head TEXT NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX evidence_by_time ON evidence(at_ms);
    CREATE INDEX evidence_by_workload ON evidence(workload, at_ms);
    """,
    // Not among those of jobs: they have verdicts, come from elsewhere, twice where somebody is unlucky, and not by their time.
    """
    CREATE TABLE check_results(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      workload TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL,
      ended_at_ms INTEGER NOT NULL,
      verdict TEXT NOT NULL,
      report TEXT NOT NULL,
      UNIQUE(name, workload, ended_at_ms, started_at_ms, verdict)
    ) STRICT;
    """,
    // Not among the events, though each is one as well: a flood of those must not close a window that a mark opened.
    """
    CREATE TABLE marks(
      id INTEGER PRIMARY KEY,
      at_ms INTEGER NOT NULL,
      until_ms INTEGER,
      workload TEXT NOT NULL,
      node TEXT NOT NULL,
      kind TEXT NOT NULL,
      text TEXT NOT NULL,
      tags TEXT NOT NULL
    ) STRICT;
    """,
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
