import Redis
import Runtime

/// The slow log since the last look, by command, prefix and client.
struct SlowlogSource: EvidenceSource {
  let name = "slowlog"
  let title = "Slow log"
  let summary = "the slow log since the last look, by command, prefix of the key and client"

  /// Entries that are read.
  private static let limit = 128
  /// The number of the newest entry.
  private static let lastID = "slowlog_last_id"

  func commands(for server: ServerFacts, masterName: String?) -> [Command] {
    server.mode == .sentinel || server.version < Version(2, 2, 12) ? [] : [["SLOWLOG", "GET", "\(Self.limit)"]]
  }

  func read(_ replies: [Reply], into reading: inout NodeReading) {
    guard let elements = replies.first?.elements else { return }
    let entries = elements.compactMap { Self.entry($0) }
    // Each process counts from 0.
    let lastID = reading.isSameProcess ? reading.earlier?.numbers[Self.lastID].map { Int(clamping: $0) } ?? -1 : -1
    let fresh = entries.filter { $0.id > lastID && $0.ended >= reading.since }
    reading.facts.slow = fresh
    reading.facts.numbers[Self.lastID] = entries.map(\.id).max().map(Double.init)
    guard !fresh.isEmpty else {
      return reading.sections.append(section(["nothing since \(EvidenceText.clock(reading.since))"]))
    }
    var lines = [
      "\(fresh.count) since \(EvidenceText.clock(reading.since)), the longest \(EvidenceText.duration(fresh.map(\.seconds).max() ?? 0))"
    ]
    if elements.count >= Self.limit { lines.append("at most \(Self.limit) are read: there may be more") }
    reading.sections.append(section(lines, table(fresh)))
  }

  private func table(_ entries: [NodeFacts.SlowCommand]) -> Evidence.Table {
    struct Key: Hashable {
      let command: String
      let prefix: String
      let client: String
    }
    let groups = Dictionary(grouping: entries) {
      Key(command: $0.shape.title, prefix: $0.shape.prefix ?? "", client: $0.client?.place ?? "unknown")
    }
    let rows = groups.map { key, entries in (key: key, entries: entries, total: entries.reduce(0) { $0 + $1.seconds }) }
      .sorted { ($1.total, $0.key.command, $0.key.client) < ($0.total, $1.key.command, $1.key.client) }
    return Evidence.Table(
      ["command", "keys", "client", "calls", "longest", "together", "arguments", "last"],
      rows.map { row in
        [
          row.key.command, row.key.prefix.isEmpty ? "" : "\(row.key.prefix)…", row.key.client, "\(row.entries.count)",
          EvidenceText.duration(row.entries.map(\.seconds).max() ?? 0), EvidenceText.duration(row.total),
          "\(row.entries.map(\.shape.argumentCount).max() ?? 0)",
          EvidenceText.clock(row.entries.map(\.ended).max() ?? .distantPast),
        ]
      })
  }

  /// `[id, time, microseconds, [arguments], address, name]`
  private static func entry(_ reply: Reply) -> NodeFacts.SlowCommand? {
    guard let parts = reply.elements.map({ Array($0) }), parts.count >= 4, let id = parts[0].integer,
      let time = parts[1].double, time.isFinite, let microseconds = parts[2].double, microseconds.isFinite,
      let words = parts[3].elements
    else { return nil }
    let client =
      parts.count >= 6 ? parts[4].bytes.flatMap { ClientOrigin(address: $0, name: parts[5].bytes ?? []) } : nil
    return NodeFacts.SlowCommand(
      id: id, shape: CommandShape(arguments: words.map { $0.bytes ?? [] }), seconds: max(0, microseconds / 1e6),
      ended: WallTime(seconds: time), client: client)
  }
}

extension ClientOrigin {
  /// - Parameter address: `10.0.0.9:53124`, as CLIENT LIST, SLOWLOG and ACL LOG have it; nil for an empty one.
  init?(address: ArraySlice<UInt8>, name: ArraySlice<UInt8>, user: ArraySlice<UInt8> = []) {
    guard let colon = address.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    self.init(name: name, user: user, host: address[..<colon])
  }
}
