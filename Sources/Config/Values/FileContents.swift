import Glibc

/// The bytes of the file at `path`, or an error that names the file and the reason, never what it holds.
///
/// Works on files without a size, such as pipes, and reads at most one byte past `limitBytes`.
public func readFile(_ path: String, limitBytes: Int) throws(ConfigError) -> [UInt8] {
  func failure(_ code: Int32) -> ConfigError {
    let reason = unsafe String(cString: strerror(code))
    return ConfigError(.file(path, nil), problem: "cannot be read: \(reason)")
  }
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
  guard descriptor >= 0 else { throw failure(errno) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 {
      if errno == EINTR { continue }
      throw failure(errno)
    }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
    guard bytes.count <= limitBytes else {
      throw ConfigError(.file(path, nil), problem: "the file is larger than \(limitBytes) bytes")
    }
  }
}
