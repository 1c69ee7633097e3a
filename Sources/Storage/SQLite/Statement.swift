import CSQLite

/// A prepared statement. It belongs to the database that made it.
@safe final class Statement {
  private let handle: OpaquePointer

  /// Prepares one statement.
  init(_ sql: String, database: OpaquePointer) throws(SQLiteError) {
    var made: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
    guard code == SQLITE_OK, let handle = unsafe made else { throw unsafe SQLiteError(of: database, code: code) }
    unsafe self.handle = handle
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Binds the parameters in their order, runs the statement to its end and hands each row to `body`.
  func run(_ values: [SQLValue], _ body: (borrowing Row) -> Void) throws(SQLiteError) {
    defer {
      unsafe sqlite3_reset(handle)
      unsafe sqlite3_clear_bindings(handle)
    }
    for (offset, value) in values.enumerated() { try check(bind(value, at: Int32(offset + 1))) }
    let row = unsafe Row(handle)
    while true {
      let code = unsafe sqlite3_step(handle)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { return try check(code) }
      body(row)
    }
  }

  private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
    switch value {
    case .null: return unsafe sqlite3_bind_null(handle, index)
    case .integer(let number): return unsafe sqlite3_bind_int64(handle, index, number)
    case .real(let number): return unsafe sqlite3_bind_double(handle, index, number)
    case .text(var text):
      return text.withUTF8 { bytes in
        // An empty buffer may have no address, and SQLite binds null for none.
        guard let start = bytes.baseAddress else { return unsafe redline_bind_text(handle, index, "", 0) }
        return unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { text in
          unsafe redline_bind_text(handle, index, text, UInt64(bytes.count))
        }
      }
    case .blob(let bytes):
      return unsafe bytes.withUnsafeBytes { bytes in
        // SQLite binds null for no address.
        guard let start = bytes.baseAddress else { return unsafe sqlite3_bind_zeroblob(handle, index, 0) }
        return unsafe redline_bind_blob(handle, index, start, UInt64(bytes.count))
      }
    }
  }

  private func check(_ code: Int32) throws(SQLiteError) {
    if code != SQLITE_OK { throw unsafe SQLiteError(of: sqlite3_db_handle(handle), code: code) }
  }
}

/// The row that a statement stands on; columns are counted from 0.
@safe struct Row: ~Copyable {
  private let handle: OpaquePointer

  fileprivate init(_ handle: OpaquePointer) { unsafe self.handle = handle }

  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }
  func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(handle, column) }
  func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

  /// The text of a column; empty when it is null.
  func text(_ column: Int32) -> String {
    guard let start = unsafe sqlite3_column_text(handle, column) else { return "" }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  /// The bytes of a column; nil when they are more than `limit`, which nobody wrote.
  func bytes(_ column: Int32, limit: Int) -> [UInt8]? {
    let start = unsafe sqlite3_column_blob(handle, column)
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    guard count <= limit else { return nil }
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
  func optionalReal(_ column: Int32) -> Double? { isNull(column) ? nil : real(column) }
}

extension SQLiteError {
  init(of database: OpaquePointer?, code: Int32) {
    let text = unsafe database.flatMap { unsafe sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
    self.init(
      code: unsafe database.map { unsafe sqlite3_extended_errcode($0) } ?? code,
      message: unsafe text.map { unsafe String(cString: $0) } ?? "unknown error")
  }
}
