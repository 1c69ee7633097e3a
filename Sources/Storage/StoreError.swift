/// Why a store cannot be used. Nothing was changed.
public enum StoreError: Error, Equatable, CustomStringConvertible {
  /// Another process has the store open; its id, where the lock file tells.
  case inUse(path: String, processID: Int32?)
  /// A newer daemon wrote the file; this one neither reads nor replaces it.
  case newerSchema(path: String, found: Int, supported: Int)
  /// A directory, a device or a socket stands there.
  case notAFile(path: String)
  /// It may pass, such as a full disk; only of what is waited for: for the rest it is `StoreHealth`.
  case unavailable(String)

  public var description: String {
    switch self {
    case .inUse(let path, let processID):
      "\(path): in use by another redline" + (processID.map { " (process \($0))" } ?? "")
        + "; give each daemon a storage path of its own"
    case .newerSchema(let path, let found, let supported):
      "\(path): written by a newer redline (schema \(found), this one knows up to \(supported)); "
        + "start that release again or give another storage path"
    case .notAFile(let path):
      "\(path): not a regular file; the storage path names a file that redline makes"
    case .unavailable(let reason): reason
    }
  }
}

/// Why the file could not be opened, read or written this time.
enum StoreFailure: Error {
  /// Only people can help, and nothing may be touched.
  case refused(StoreError)
  /// It may pass: a full disk, a read-only directory, a database that is locked.
  case unavailable(String)
  /// The bytes of the file are wrong.
  case damaged(String)

  init(_ error: SQLiteError) {
    self = error.isDamage ? .damaged(error.description) : .unavailable(error.description)
  }

  var reason: String {
    switch self {
    case .refused(let error): error.description
    case .unavailable(let reason), .damaged(let reason): reason
    }
  }
}
