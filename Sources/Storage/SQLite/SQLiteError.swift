/// What SQLite refused, in its own words.
struct SQLiteError: Error, CustomStringConvertible {
  /// The extended result code; its lowest byte is the primary one.
  let code: Int32
  let message: String

  var primaryCode: Int32 { code & 0xff }

  /// True when the bytes of the file are wrong, so that trying again cannot help: SQLITE_CORRUPT and SQLITE_NOTADB.
  var isDamage: Bool { primaryCode == 11 || primaryCode == 26 }

  var description: String { "\(message) (SQLite code \(code))" }
}
