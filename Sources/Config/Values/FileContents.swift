import Runtime

extension ConfigError: FileFailure {
  public init(file: String, reason: String) {
    self.init(.file(file, nil), problem: "cannot be read: \(reason)")
  }
}

extension ConfigErrors: FileFailure {
  public init(file: String, reason: String) { self.init(ConfigError(file: file, reason: reason)) }
}

/// The bytes of the file at `path`, or an error that names the file and the reason, never what it holds.
///
/// It waits for the disk: the daemon calls it by way of ``FileWork`` alone.
public func readFile(_ path: String, limitBytes: Int) throws(ConfigError) -> [UInt8] {
  do throws(FileProblem) {
    return try RegularFile.bytes(path, limitBytes: limitBytes)
  } catch {
    throw ConfigError(file: path, reason: error.reason)
  }
}
