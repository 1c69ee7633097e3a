import Glibc

/// A file that this process alone writes, at its end.
public final class GrowingFile {
  private let descriptor: Int32
  public private(set) var byteCount = 0

  /// A new file.
  ///
  /// - Parameter isShared: whether others may read it, as far as the umask allows; else only its owner may.
  /// - Throws: the system's reason; also where there is a file of that name.
  public init(_ path: String, isShared: Bool = false) throws(FileProblem) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, isShared ? 0o644 : 0o600)
    guard descriptor >= 0 else { throw FileProblem(reason: systemError(errno)) }
  }

  deinit { close(descriptor) }

  /// Appends the bytes, all or none of them.
  public func append(_ bytes: [UInt8]) throws(FileProblem) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress! + written, $0.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        let reason = systemError(errno)
        _ = ftruncate(descriptor, off_t(byteCount))
        _ = lseek(descriptor, off_t(byteCount), SEEK_SET)
        throw FileProblem(reason: reason)
      }
      written += count
    }
    byteCount += written
  }

  /// Waits until the disk has what was written.
  public func sync() throws(FileProblem) {
    guard fsync(descriptor) == 0 else { throw FileProblem(reason: systemError(errno)) }
  }
}

/// A file that others see whole or not at all.
public enum WholeFile {
  /// Writes the bytes under another name in the same folder, has the disk take them, and gives them their name.
  ///
  /// Others may read it, as far as the umask allows.
  /// - Throws: the system's reason; then there is neither file.
  public static func write(_ bytes: [UInt8], to path: String, by temporary: String) throws(FileProblem) {
    let file = try GrowingFile(temporary, isShared: true)
    do throws(FileProblem) {
      try file.append(bytes)
      try file.sync()
      try rename(temporary, to: path)
    } catch {
      _ = unsafe unlink(temporary)
      throw error
    }
    // The name, too, must outlive the machine's power.
    let slash = path.lastIndex(of: "/")
    let folder = unsafe open(slash.map { String(path[...$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = fsync(folder)
    close(folder)
  }

  /// Gives a file another name; what has that name is replaced.
  public static func rename(_ path: String, to name: String) throws(FileProblem) {
    guard unsafe Glibc.rename(path, name) == 0 else { throw FileProblem(reason: systemError(errno)) }
  }
}

/// Folders that the program keeps files in.
public enum Folder {
  /// Makes the folder, which only its owner may look into, where there is none.
  public static func make(_ path: String) throws(FileProblem) {
    guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
    throw FileProblem(reason: systemError(errno))
  }

  /// - Returns: whether the path is a folder.
  public static func isOne(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes a file; one that is not there is no problem.
  public static func remove(file path: String) throws(FileProblem) {
    guard unsafe unlink(path) != 0, errno != ENOENT else { return }
    throw FileProblem(reason: systemError(errno))
  }
}
