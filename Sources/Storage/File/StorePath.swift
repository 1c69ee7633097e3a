import Glibc
import Runtime

/// The place of the database file, and what stands there before SQLite may touch it.
struct StorePath {
  let path: String

  enum Occupant: Equatable {
    /// No file, or an empty one.
    case nothing
    /// A database with our application id; its schema version as of the last checkpoint.
    case ours(version: Int)
    /// What the file is instead, in words.
    case foreign(String)
  }

  /// Looks at the header alone. It must not be called while SQLite has the file open: closing any descriptor of a file
  /// drops the locks that the process holds on it.
  func occupant() throws(StoreFailure) -> Occupant {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT { return .nothing }
      throw .unavailable("\(path): \(systemError(errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .refused(.notAFile(path: path)) }
    guard let header = SmallFile.bytes(path, limit: 100) else {
      throw .unavailable("\(path): \(systemError(errno))")
    }
    if header.isEmpty { return .nothing }
    guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
      return .foreign("not an SQLite database")
    }
    // https://www.sqlite.org/fileformat.html, section 1.3: user version at 60, application id at 68, big-endian.
    let application = Self.bigEndian(header[68..<72])
    guard application == Schema.applicationID else {
      return .foreign("an SQLite database of another program (application id \(application))")
    }
    return .ours(version: Int(Self.bigEndian(header[60..<64])))
  }

  /// Makes the directory when only that one is missing; what goes wrong shows when a file is made in it.
  func makeDirectory() {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    _ = unsafe mkdir(String(path[..<slash]), 0o700)
  }

  /// Makes the file, empty and for its owner alone. SQLite gives its logs the mode of the file.
  func prepare() throws(StoreFailure) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unavailable("\(path): \(systemError(errno))") }
    defer { close(descriptor) }
    guard fchmod(descriptor, 0o600) == 0 else { throw .unavailable("\(path): \(systemError(errno))") }
  }

  /// Renames the file and its logs to a name that is free, and never removes anything.
  ///
  /// - Returns: the new path.
  func setAside(now: WallTime) throws(StoreFailure) -> String {
    let stamp = "\(path).corrupt-\(Self.utcStamp(now))"
    var target = stamp
    var attempt = 1
    while Self.exists(target) {
      attempt += 1
      target = "\(stamp)-\(attempt)"
    }
    // The logs first: a file whose log was left behind would be read as an older state of itself.
    for suffix in ["-journal", "-wal", "-shm", ""] where Self.exists(path + suffix) {
      guard unsafe rename(path + suffix, target + suffix) == 0 else {
        throw .unavailable("\(path + suffix) cannot be set aside: \(systemError(errno))")
      }
    }
    return target
  }

  /// Whether SQLite has left a write-ahead log beside the file.
  var hasLog: Bool { Self.exists(path + "-wal") }

  private static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> Int64 {
    bytes.reduce(0) { $0 << 8 | Int64($1) }
  }

  /// Such as 20260131T235959Z.
  private static func utcStamp(_ moment: WallTime) -> String {
    var time = time_t(moment.seconds)
    var parts = unsafe tm()
    unsafe gmtime_r(&time, &parts)
    func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : String(number) }
    let date = unsafe [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday].map(digits).joined()
    let hour = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map(digits).joined()
    return "\(date)T\(hour)Z"
  }
}
