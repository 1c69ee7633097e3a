import Redis
import Runtime

/// Settings that decide how a server behaves under load, and which of them changed between two looks.
struct SettingsSource: EvidenceSource {
  let name = "config_diff"
  let title = "Settings"
  let summary = "settings that matter under load, asked for by name, and which of them changed"

  /// Each is asked for by its name, so that no password crosses the wire.
  private static let names = [
    "appendfsync", "appendonly", "auto-aof-rewrite-percentage", "client-output-buffer-limit", "hz",
    "latency-monitor-threshold", "lazyfree-lazy-eviction", "maxclients", "maxmemory", "maxmemory-policy",
    "min-replicas-to-write", "no-appendfsync-on-rewrite", "repl-backlog-size", "repl-timeout", "save",
    "slowlog-log-slower-than", "stop-writes-on-bgsave-error", "tcp-keepalive", "timeout",
  ]

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel ? [] : Self.names.map { ["CONFIG", "GET", $0] }
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    var found: [(name: String, value: String)] = []
    for reply in replies {
      guard let parts = reply.elements, let name = parts[0]?.text, Self.names.contains(name), let value = parts[1]?.text
      else { continue }
      found.append((name, oneLine(value.cut(toBytes: 160))))
    }
    guard !found.isEmpty else { return }
    let before = reading.earlier?.settings ?? [:]
    let changed = found.filter { before[$0.name].map { [value = $0.value] in $0 != value } ?? false }
    for (name, value) in found { reading.facts.settings[name] = value }
    let lines = changed.map { "\($0.name) was \(before[$0.name] ?? ""), and is \($0.value) now" }
    reading.sections.append(
      section(
        lines.isEmpty && reading.earlier != nil ? ["none of these has changed since the last look"] : lines,
        Evidence.Table(["setting", "value"], found.map { [$0.name, $0.value.isEmpty ? "(empty)" : $0.value] })))
  }
}

/// The machine under a server, where redline runs on it as well.
struct HostSource: EvidenceSource {
  let name = "host"
  let title = "Machine"
  let summary = "pressure, swap, huge pages, load and free disk of the machine, where redline runs on it, too"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel ? [] : [["CONFIG", "GET", "dir"]]
  }

  /// The folder of the server's data, from the reply to ``commands(for:masterName:)``.
  static func folder(_ replies: [Reply]) -> String? { replies.first?.elements?[1]?.text }

  /// The machine's own files were read meanwhile.
  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard let host = reading.facts.host else {
      return reading.sections.append(
        section(["not known: redline runs on another machine, or cannot see the server's process"]))
    }
    var lines: [String] = []
    if let free = host.freeBytes {
      reading.figures.append(Evidence.Figure("disk_free", "free on the disk of its data", .bytes, free))
      lines.append("\(EvidenceText.bytes(free)) free on the disk of its data")
    }
    if let load = host.load { lines.append("load \(load)") }
    if let swapped = host.swappedBytes {
      lines.append(
        swapped > 0 ? "\(EvidenceText.bytes(swapped)) of it are swapped out" : "nothing of it is swapped out")
    }
    for (name, share) in host.pressure.sorted(by: { $0.key < $1.key }) {
      lines.append("in \(share) % of the last 10 s something waited for \(name)")
    }
    if let pages = host.hugePages { lines.append("transparent huge pages: \(pages)") }
    reading.sections.append(section(lines))
  }
}
