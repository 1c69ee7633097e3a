import Runtime

/// What the machine, or the container, can still give to a program.
enum AvailableMemory {
  /// In bytes; nil where the system does not tell.
  ///
  /// - Parameter root: holds `proc` and `sys`.
  static func bytes(root: String = "/") -> Int? {
    let machine = SmallFile.text("\(root)proc/meminfo", limit: 16 << 10).flatMap(available)
    let groups = SmallFile.text("\(root)proc/self/cgroup", limit: 4096).map { rooms(root: root, $0) } ?? []
    return ((machine.map { [$0] } ?? []) + groups).min()
  }

  /// `MemAvailable` of /proc/meminfo.
  private static func available(_ text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      return Int(line.drop { !$0.isNumber }.prefix { $0.isNumber }).map { $0 << 10 }
    }
    return nil
  }

  /// What is left in the control group of the process and in those that it is in.
  private static func rooms(root: String, _ own: String) -> [Int] {
    guard let line = own.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else { return [] }
    var names = line.dropFirst(4).split(separator: "/")
    var rooms: [Int] = []
    while true {
      let folder = (["\(root)sys/fs/cgroup"] + names.map(String.init)).joined(separator: "/")
      if let limit = number("\(folder)/memory.max"), let used = number("\(folder)/memory.current") {
        // Its cached files can be dropped.
        rooms.append(max(0, limit - used + (cached("\(folder)/memory.stat") ?? 0)))
      }
      if names.popLast() == nil { return rooms }
    }
  }

  private static func number(_ path: String) -> Int? {
    SmallFile.text(path, limit: 32).flatMap { Int($0.prefix { $0.isNumber }) }
  }

  private static func cached(_ path: String) -> Int? {
    let lines = SmallFile.text(path, limit: 16 << 10)?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix("inactive_file ") }.flatMap { Int($0.dropFirst("inactive_file ".count)) }
  }
}
