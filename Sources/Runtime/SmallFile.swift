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
