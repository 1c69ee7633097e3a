import CMalloc
import Glibc
import Runtime

/// What the system allows the process of memory. Bytes; nil for no bound.
struct MemoryLimits: Equatable, CustomStringConvertible {
  /// Addresses, used or not: `ulimit -v`, RLIMIT_AS.
  var addresses: Int?
  /// The same without mapped files: `ulimit -d`, RLIMIT_DATA.
  var data: Int?
  /// Memory of the control group: MemoryMax of systemd, a container's limit.
  var group: Int?

  /// Threads and the allocator reserve more than a GiB of addresses at the start, and use little of it.
  static let leastAddresses = 1536 << 20
  /// What the program itself takes.
  static let leastGroup = 16 << 20

  static func current() -> MemoryLimits {
    func limit(_ resource: __rlimit_resource) -> Int? {
      var limit = rlimit()
      guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
      return Int(exactly: limit.rlim_cur)
    }
    return MemoryLimits(addresses: limit(RLIMIT_AS), data: limit(RLIMIT_DATA), group: group(root: "/"))
  }

  /// The least `memory.max` of the process's control group and those that it is in.
  ///
  /// - Parameter root: holds `proc` and `sys`.
  static func group(root: String) -> Int? {
    let own = SmallFile.text("\(root)proc/self/cgroup", limit: 4096) ?? ""
    guard let line = own.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else { return nil }
    var names = line.dropFirst(4).split(separator: "/")
    var least: Int?
    while true {
      let folder = (["\(root)sys/fs/cgroup"] + names.map(String.init)).joined(separator: "/")
      let text = SmallFile.text("\(folder)/memory.max", limit: 32) ?? ""
      if let bytes = Int(text.prefix { $0.isNumber }) { least = min(least ?? bytes, bytes) }
      if names.popLast() == nil { return least }
    }
  }

  /// What must be said where the program cannot work; nil where it can.
  var shortage: String? {
    for (name, bytes) in [("address space (RLIMIT_AS, ulimit -v)", addresses), ("data (RLIMIT_DATA, ulimit -d)", data)]
    {
      guard let bytes, bytes < Self.leastAddresses else { continue }
      return
        "the limit of \(name) is \(Self.words(bytes)), and at least \(Self.words(Self.leastAddresses)) are needed, since "
        + "threads reserve addresses that they do not use: raise it, and bound memory by MemoryMax or the container instead"
    }
    guard let group, group < Self.leastGroup else { return nil }
    return
      "the memory limit of the control group (MemoryMax) is \(Self.words(group)), and at least "
      + "\(Self.words(Self.leastGroup)) are needed: raise it"
  }

  var description: String {
    let parts = [("address space", addresses), ("data", data), ("control group", group)].compactMap { name, bytes in
      bytes.map { "\(name) \(Self.words($0))" }
    }
    return parts.isEmpty ? "it has no limit" : "its limits: " + parts.joined(separator: ", ")
  }

  private static func words(_ bytes: Int) -> String {
    bytes < 10 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB"
  }
}

/// How the process's allocator is set up.
enum Allocator {
  /// Keeps the memory of pages and replies, some 100 KB that come and go with every scrape: by default the allocator
  /// gives them back to the system each time, and 60 page faults later has them again.
  static func keepScrapeBuffers() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 4 << 20)
  }

  /// Gives what is free back to the system, also from between what is in use: by itself the allocator gives back only the
  /// end of each thread's memory, so that a few large queries one after another would come to hold several times as much.
  static func giveBackFree() { malloc_trim(0) }
}
