import Redis
import Runtime

/// A server as a scenario describes it.
struct ScenarioServer: Sendable {
  /// The daemon's clock at 0 s, in seconds since the epoch.
  static let start = 1_000_000.0

  var isUp = true
  var isSentinel = false
  var isProbeAnswered: Bool?
  var problem: String?
  var fields: [(name: String, value: String)] = []
  /// Lines of CLUSTER NODES.
  var nodes: [String] = []
  var settings: [String: String] = [:]
  /// nil where CLUSTER GETSLOTMIGRATIONS is not answered.
  var migrations: [String: String]?

  mutating func set(_ name: String, _ value: String) {
    if let index = fields.firstIndex(where: { $0.name == name }) {
      fields[index].value = value
    } else {
      fields.append((name, value))
    }
  }

  func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  // MARK: What it says

  func reading(_ address: NodeAddress, at time: Double) -> MemberReading {
    MemberReading(
      address, answers: isUp, facts: isUp ? facts(address) : nil, began: Monotonic(seconds: time),
      ended: WallTime(seconds: Self.start + time))
  }

  private func facts(_ address: NodeAddress) -> MemberFacts {
    // Without a word about it, it is the same process all the time.
    let run = fields.contains { $0.name == "run_id" } ? [] : ["run_id:\(address)"]
    let lines = run + fields.map { "\($0.name):\($0.value)" }
    let all = isSentinel ? ["redis_mode:sentinel", "# Sentinel"] + lines : lines
    let info = InfoText(bytes: Array((all.joined(separator: "\r\n") + "\r\n").utf8))
    var facts = MemberFacts(
      info, config: config, replies: [], server: ServerFacts(info), now: WallTime(seconds: 1000))
    if !nodes.isEmpty { facts.cluster = ClusterNodes(Array((nodes.joined(separator: "\n") + "\n").utf8)[...]) }
    if isSentinel { facts.sentinel = sentinel }
    facts.slotMigrations = migrations?.sorted { $0.key < $1.key }.compactMap { migration($0.key, $0.value) }
    return facts
  }

  private var config: ServerConfig? {
    guard !settings.isEmpty else { return nil }
    return Self.reply(settings.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }).flatMap { ServerConfig($0) }
  }

  private static func resp(_ words: [String]) -> String {
    "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  private static func reply(_ words: [String]) -> Reply? { (try? Replies.read(Array(resp(words).utf8)))?[0] }

  /// `export failed 5-9 created=1 sign=2 from=ID to=ID why`
  private func migration(_ name: String, _ text: String) -> SlotMigration? {
    let words = text.split(separator: " ", maxSplits: 7).map(String.init)
    guard words.count > 6 else { return nil }
    func value(_ index: Int) -> String { String(words[index].drop { $0 != "=" }.dropFirst()) }
    return Self.reply([
      "name", name, "operation", words[0].uppercased(), "slot_ranges", words[2], "target_node", value(6), "source_node",
      value(5), "create_time", value(3), "last_update_time", value(4), "last_ack_time", value(4), "state", words[1],
      "message", words.count > 7 ? words[7] : "",
    ]).flatMap { SlotMigration($0) }
  }

  /// What a Sentinel says, from a few fields.
  private var sentinel: MemberFacts.SentinelFacts? {
    func parts(_ name: String) -> (host: String, port: String) {
      let parts = name.split(separator: ":").map(String.init)
      return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
    }
    func list(_ name: String, _ more: [String]) -> String {
      let all = (value(name) ?? "").split(separator: " ").map { name in
        let place = parts(String(name))
        return Self.resp(
          ["name", String(name), "ip", place.host, "port", place.port, "runid", "", "last-hello-message", "1"] + more)
      }
      return "*\(all.count)\r\n" + all.joined()
    }
    let master = value("master").map { name in
      let place = parts(name)
      return Self.resp([
        "name", "mymaster", "ip", place.host, "port", place.port, "runid", "", "flags", value("flags") ?? "master",
        "config-epoch", "1", "quorum", value("quorum") ?? "2", "down-after-milliseconds",
        value("down-after-milliseconds") ?? "30000",
      ])
    }
    let replica = ["flags", "slave", "master-link-status", "ok", "slave-priority", "100"]
    let texts = [
      "$-1\r\n", master ?? "-ERR No such master with that name\r\n", list("replicas", replica),
      list("peers", ["flags", "sentinel"]),
      value("ckquorum") == "lost" ? "-NOQUORUM 1 usable Sentinels.\r\n" : "+OK 3 usable Sentinels.\r\n",
    ]
    let replies = texts.compactMap { (try? Replies.read(Array($0.utf8)))?[0] }
    guard replies.count == texts.count else { return nil }
    return MemberFacts.SentinelFacts(id: replies[0], about: Array(replies[1...]))
  }
}
