import Glibc

/// Reads a file that is known to be small, such as those of /proc or a secret.
public enum SmallFile {
  /// The first `limit` bytes of the file.
  ///
  /// - Returns: nil when the file cannot be opened or read; `errno` says why.
  public static func bytes(_ path: String, limit: Int = 1 << 20) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return rest(of: descriptor, limit: limit)
  }

  /// What is left of an open file, at most `limit` bytes; nil when it cannot be read, and `errno` says why.
  static func rest(of descriptor: Int32, limit: Int) -> [UInt8]? {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while content.count < limit {
      let wanted = min(chunk.count, limit - content.count)
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, wanted) }
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { break }
      content.append(contentsOf: chunk[..<count])
    }
    return content
  }

  public static func text(_ path: String, limit: Int = 1 << 20) -> String? {
    bytes(path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The size of a file in bytes; nil when it cannot be looked at.
  public static func size(_ path: String) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Int(status.st_size)
  }

  /// What is free to an ordinary user on the disk of a path, in bytes; nil when it cannot be looked at.
  public static func freeBytes(onDiskOf path: String) -> Double? {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return Double(status.f_bavail) * Double(status.f_frsize)
  }

  /// How many entries a directory has, without `.` and `..`; nil when it cannot be read.
  public static func entryCount(ofDirectory path: String) -> Int? {
    guard let directory = unsafe opendir(path) else { return nil }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return max(0, count - 2)
  }

  /// The names of a directory's entries, without those that begin with a dot, in no order; none when it cannot be read.
  ///
  /// - Parameter limit: the most entries that are looked at.
  public static func names(inDirectory path: String, limit: Int) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    for _ in 0..<limit {
      guard let entry = unsafe readdir(directory) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}

/// The system's words for an `errno`.
public func systemError(_ code: CInt) -> String {
  guard let text = unsafe strerror(code) else { return "error \(code)" }
  return unsafe String(cString: text)
}

/// Why a file cannot be read, as the end of a sentence that begins with its path: `cannot be read: …`.
public struct FileProblem: Error, Sendable, Equatable {
  public let reason: String

  public init(reason: String) { self.reason = reason }
}

/// Files that someone named: whole, bounded, and never one that can block its reader.
public enum RegularFile {
  /// The bytes of the file at `path`.
  ///
  /// Only a regular file is read. A pipe, a device or a socket is not waited for, except under the names that a shell
  /// gives its own (`/dev/stdin`, `/dev/fd/3`).
  /// - Throws: what the file is instead, that it is larger than `limitBytes`, or the system's reason.
  public static func bytes(_ path: String, limitBytes: Int) throws(FileProblem) -> [UInt8] {
    let isInherited = path == "/dev/stdin" || path.hasPrefix("/dev/fd/")
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (isInherited ? 0 : O_NONBLOCK))
    guard descriptor >= 0 else {
      // What opening a socket is answered.
      throw errno == ENXIO ? FileProblem(reason: "it is a socket, not a regular file") : .system()
    }
    defer { close(descriptor) }
    if !isInherited, let kind = try kind(descriptor) { throw FileProblem(reason: "it is \(kind), not a regular file") }
    guard let bytes = SmallFile.rest(of: descriptor, limit: limitBytes + 1) else { throw .system() }
    guard bytes.count <= limitBytes else { throw FileProblem(reason: "it is larger than \(limitBytes) bytes") }
    return bytes
  }

  /// How the regular file at `path` begins, how large it is, and when it was last written.
  ///
  /// - Throws: what the file is instead, or the system's reason.
  public static func head(
    _ path: String, limitBytes: Int
  ) throws(FileProblem) -> (bytes: [UInt8], sizeBytes: Int, writtenAt: WallTime) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENXIO ? FileProblem(reason: "it is a socket, not a regular file") : .system()
    }
    defer { close(descriptor) }
    if let kind = try kind(descriptor) { throw FileProblem(reason: "it is \(kind), not a regular file") }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, let bytes = SmallFile.rest(of: descriptor, limit: limitBytes) else {
      throw .system()
    }
    let written = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
    return (bytes, Int(status.st_size), WallTime(seconds: written))
  }

  /// What an open file is; nil for a regular one.
  private static func kind(_ descriptor: Int32) throws(FileProblem) -> String? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system() }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return nil
    case S_IFDIR: return "a directory"
    case S_IFIFO: return "a FIFO"
    case S_IFSOCK: return "a socket"
    default: return "a device"
    }
  }
}

extension FileProblem: FileFailure {
  public init(file: String, reason: String) { self.init(reason: reason) }

  /// By `errno`.
  fileprivate static func system() -> FileProblem { FileProblem(reason: systemError(errno)) }
}

/// What changes when a file is written or replaced.
public struct FileStamp: Equatable, Sendable {
  private let device: UInt
  private let inode: UInt
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int

  /// When the file was written last.
  public var changed: WallTime { WallTime(seconds: Double(seconds) + Double(nanoseconds) / 1e9) }

  /// Nil when the file cannot be looked at. Follows symbolic links, which is how mounted secrets are exchanged.
  public init?(_ path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    size = Int(status.st_size)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }
}
