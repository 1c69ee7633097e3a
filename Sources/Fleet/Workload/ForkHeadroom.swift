import Redis

/// What a server needs beside its own memory while a child process saves it, rewrites its AOF or feeds a new replica: the
/// pages that are written to meanwhile exist twice.
public struct ForkHeadroom: Sendable, Equatable {
  /// Resident memory of the server now (`used_memory_rss`).
  let residentBytes: Int
  /// 0 for no limit.
  let limitBytes: Int
  /// The machine's memory (`total_system_memory`).
  let systemBytes: Int
  /// The most that a child has copied, of those that INFO still reports; nil before the first.
  let copiedBytes: Int?

  /// - Returns: nil where INFO does not describe the machine (before 3.2).
  public init?(_ info: InfoText) {
    let resident = info.integer("used_memory_rss") ?? 0
    let system = info.integer("total_system_memory") ?? 0
    guard resident > 0, system > 0 else { return nil }
    let fields = [
      "rdb_last_cow_size", "aof_last_cow_size", "module_fork_last_cow_size", "current_cow_peak", "current_cow_size",
    ]
    let copied = fields.compactMap { info.integer($0) }.max() ?? 0
    self.init(
      residentBytes: resident, limitBytes: max(0, info.integer("maxmemory") ?? 0), systemBytes: system,
      copiedBytes: copied > 0 ? copied : nil)
  }

  init(residentBytes: Int, limitBytes: Int, systemBytes: Int, copiedBytes: Int?) {
    self.residentBytes = residentBytes
    self.limitBytes = limitBytes
    self.systemBytes = systemBytes
    self.copiedBytes = copiedBytes
  }

  /// What the machine has left when the server is as large as it may become and a child copies as much as the largest of
  /// the last ones; negative when it has not enough. nil before the first child.
  public var expectedBytes: Int? { copiedBytes.map { systemBytes - max(residentBytes, limitBytes) - $0 } }

  /// The same for the server as it is and a child that copies everything.
  public var worstBytes: Int { systemBytes - 2 * residentBytes }
}
