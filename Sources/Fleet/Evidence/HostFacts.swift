import Redis
import Runtime

extension NodeFacts.Host {
  /// Looks at the machine under a server, where that is this one. For a thread of ``FileWork``: files may hang.
  ///
  /// - Parameters:
  ///   - address: under which the server is reached.
  ///   - processID: as INFO tells it.
  ///   - folder: of the server's data.
  /// - Returns: nil where the server runs on another machine, or its process cannot be seen.
  static func read(_ address: RedisAddress, processID: Int, folder: String?) -> NodeFacts.Host? {
    guard isHere(address), processID > 0, let name = SmallFile.text("/proc/\(processID)/comm", limit: 64),
      ["redis", "valkey", "keydb"].contains(where: { name.contains($0) })
    else { return nil }
    var host = NodeFacts.Host()
    // The root of the process may be another than ours.
    host.freeBytes = folder.flatMap {
      SmallFile.freeBytes(onDiskOf: "/proc/\(processID)/root\($0)") ?? SmallFile.freeBytes(onDiskOf: $0)
    }
    if let status = SmallFile.text("/proc/\(processID)/status", limit: 16 << 10) {
      host.swappedBytes = number(after: "VmSwap:", in: status).map { $0 * 1024 }
    }
    for resource in ["cpu", "io", "memory"] {
      guard let text = SmallFile.text("/proc/pressure/\(resource)", limit: 1024) else { continue }
      host.pressure[resource] = number(after: "some avg10=", in: text)
    }
    if let text = SmallFile.text("/sys/kernel/mm/transparent_hugepage/enabled", limit: 128) {
      host.hugePages = text.split(separator: "[").last?.split(separator: "]").first.map(String.init)
    }
    host.load = SmallFile.text("/proc/loadavg", limit: 128)?.split(separator: " ").first.flatMap { Double($0) }
    return host
  }

  private static func number(after word: String, in text: String) -> Double? {
    text.split(separator: "\n").lazy.compactMap { line -> Double? in
      guard let start = line.range(of: word)?.upperBound else { return nil }
      return Double(line[start...].drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber || $0 == "." })
    }.first
  }

  /// Whether the address is one of this machine's own.
  private static func isHere(_ address: RedisAddress) -> Bool {
    guard case .tcp(let host, _) = address.endpoint else { return true }
    if host == "localhost" || host == "::1" || host.hasPrefix("127.") { return true }
    // Lines such as `|-- 10.0.0.5`, followed by `/32 host LOCAL`.
    guard let routes = SmallFile.text("/proc/net/fib_trie", limit: 1 << 20) else { return false }
    let lines = routes.split(separator: "\n")
    return zip(lines, lines.dropFirst()).contains { line, next in
      line.hasSuffix("-- \(host)") && next.contains("/32 host LOCAL")
    }
  }
}

extension Substring {
  /// Where a word stands.
  fileprivate func range(of word: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
      start = index(after: start)
    }
    return nil
  }
}
