import Glibc

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
