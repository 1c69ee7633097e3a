import CSQLite

/// One open SQLite database with its prepared statements. It is used by one thread at a time.
@safe final class Database {
  private let handle: OpaquePointer
  private var statements: [String: Statement] = [:]

  /// Opens the file and makes it when it is missing. Nothing is read before the first statement.
  ///
  /// Closing leaves the file and its log as they are until `checkpointsOnClose` is set, so that a database which turns out
  /// to be somebody else's is only looked at.
  ///
  /// - Parameter busyTimeoutMs: how long a statement waits for another process that holds the database.
  convenience init(path: String, busyTimeoutMs: Int32) throws(SQLiteError) {
    try self.init(path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, busyTimeoutMs: busyTimeoutMs)
  }

  /// Opens a file that is there, for reading alone: also on a full disk, and where nothing may be written.
  ///
  /// - Parameter hasLog: whether a write-ahead log lies beside it. It is read, too, and its index is kept in memory.
  convenience init(reading path: String, hasLog: Bool) throws(SQLiteError) {
    let escaped = path.utf8.map { byte in
      let isPlain = [UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "%")].allSatisfy { $0 != byte }
      return isPlain ? [byte] : Array("%\(String(byte, radix: 16, uppercase: true))".utf8)
    }
    // Without a log SQLite would make one, unless it is told that nobody changes the file.
    let uri = "file:\(String(decoding: escaped.joined(), as: UTF8.self))?\(hasLog ? "readonly_shm" : "immutable")=1"
    try self.init(uri, flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, busyTimeoutMs: 0)
  }

  private init(_ name: String, flags: Int32, busyTimeoutMs: Int32) throws(SQLiteError) {
    var opened: OpaquePointer?
    let code = unsafe sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
    guard code == SQLITE_OK, let handle = unsafe opened else {
      let error = unsafe SQLiteError(of: opened, code: code)
      unsafe sqlite3_close_v2(opened)
      throw error
    }
    unsafe self.handle = handle
    unsafe sqlite3_busy_timeout(handle, busyTimeoutMs)
    unsafe redline_set_checkpoint_on_close(handle, 0)
  }

  deinit {
    statements.removeAll()
    unsafe sqlite3_close_v2(handle)
  }

  /// Whether closing moves the write-ahead log into the file and removes it.
  var checkpointsOnClose = false {
    didSet { unsafe redline_set_checkpoint_on_close(handle, checkpointsOnClose ? 1 : 0) }
  }

  /// True when the file was renamed or removed since it was opened, so that writes would be lost with it.
  var hasMoved: Bool { unsafe redline_has_moved(handle) != 0 }

  /// Runs a fixed text of one or more statements that give no rows.
  func execute(_ script: String) throws(SQLiteError) {
    let code = unsafe sqlite3_exec(handle, script, nil, nil, nil)
    if code != SQLITE_OK { throw unsafe SQLiteError(of: handle, code: code) }
  }

  /// Runs one statement, prepared once and kept, and hands each of its rows to `body`.
  func run(
    _ sql: String, _ values: [SQLValue] = [], _ body: (borrowing Row) -> Void = { _ in }
  ) throws(SQLiteError) {
    let statement: Statement
    if let kept = statements[sql] {
      statement = kept
    } else {
      statement = unsafe try Statement(sql, database: handle)
      statements[sql] = statement
    }
    try statement.run(values, body)
  }

  /// Every row of a query, as `map` reads it.
  func rows<Element>(
    _ sql: String, _ values: [SQLValue] = [], _ map: (borrowing Row) -> Element
  ) throws(SQLiteError) -> [Element] {
    var all: [Element] = []
    try run(sql, values) { all.append(map($0)) }
    return all
  }

  /// The number in the first column of the only row; 0 when there is none.
  func integer(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteError) -> Int64 {
    try rows(sql, values) { $0.integer(0) }.first ?? 0
  }

  /// Deletes rows: `TABLE WHERE CONDITION`.
  ///
  /// - Returns: how many.
  func remove(_ rows: String, _ values: [SQLValue] = []) throws(SQLiteError) -> Int {
    try run("DELETE FROM \(rows)", values)
    return Int(try integer("SELECT changes()"))
  }

  /// Runs `body` whole or not at all.
  func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
    try execute("BEGIN IMMEDIATE")
    do throws(SQLiteError) {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // SQLite has rolled back by itself after some errors; then there is nothing left to do.
      if unsafe sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
      throw error
    }
  }
}
