import Redis
import Runtime

/// What one server said, in the form that ``CulpritRule``s read.
struct NodeFacts: Sendable {
  /// A command of the slow log.
  struct SlowCommand: Sendable, Equatable {
    let id: Int
    let shape: CommandShape
    let seconds: Double
    /// When it ended, by the server's clock in whole seconds.
    let ended: WallTime
    /// nil before Redis 4, and for what a script did.
    let client: ClientOrigin?
  }

  /// Connections of one origin whose last command was the same.
  struct ClientGroup: Sendable {
    let origin: ClientOrigin
    let command: String
    var count = 0
    /// Since the last command of the one that sent last.
    var idleSeconds = Double.infinity
    var outputBytes = 0.0
    var isReplica = false
  }

  /// What the latency monitor saw last of one kind.
  struct LatencyEvent: Sendable, Equatable {
    let name: String
    let at: WallTime
    let seconds: Double
  }

  /// What the ACL refused to one origin.
  struct Denial: Sendable, Equatable {
    let reason: String
    /// The command; nil for a login, a key or a channel.
    let command: String?
    let origin: ClientOrigin
    let count: Int
    let ageSeconds: Double
  }

  /// Why a server says nothing.
  struct Silence: Sendable, Equatable {
    let errorClass: RedisError.Class
    /// For people; bounded.
    let text: String
    /// When it last answered a poll; nil where it never did.
    let lastAnswer: WallTime?
    /// It failed so often that it is not asked.
    var isLeftAlone = false
  }

  /// The disk and the machine under a server, where redline runs on it, too.
  struct Host: Sendable, Equatable {
    /// Free to the server, of the file system of its data; nil where it cannot be looked at.
    var freeBytes: Double?
    /// Of the server's memory in the swap.
    var swappedBytes: Double?
    /// The share of the last ten seconds in which something waited for each resource (`some avg10` of PSI), 0 to 100.
    var pressure: [String: Double] = [:]
    /// `always`, `madvise` or `never`.
    var hugePages: String?
    var load: Double?
  }

  let instance: String
  let role: FleetMember.Role
  let wall: WallTime
  var silence: Silence?
  /// Numbers of INFO by name.
  var numbers: [String: Double] = [:]
  /// Words of INFO by name.
  var words: [String: String] = [:]
  /// What it counted a minute or so before.
  var past: CounterTracker.Past?
  var slow: [SlowCommand] = []
  var clients: [ClientGroup] = []
  var latency: [LatencyEvent] = []
  /// By command; empty where the server does not tell.
  var calls: [String: Calls] = [:]
  var denials: [Denial] = []
  var settings: [String: String] = [:]
  /// Replicas that are not in sync, as the master lists them.
  var syncingReplicas: [String] = []
  var host: Host?

  init(instance: String, role: FleetMember.Role, wall: WallTime) {
    (self.instance, self.role, self.wall) = (instance, role, wall)
  }

  var isMaster: Bool { words["role"].map { $0 == "master" } ?? (role == .master) }

  /// By how much a count rose since a minute or so before; nil where that is not known.
  func rise(_ name: String) -> Double? {
    guard let now = numbers[name], let then = past?.counts[name], now >= then else { return nil }
    return now - then
  }

  /// The same a second.
  func rate(_ name: String) -> Double? {
    guard let rise = rise(name), let past, wall - past.wall >= 1 else { return nil }
    return rise / (wall - past.wall)
  }

  /// `the last minute`, or however long it is since the counts that ``rise(_:)`` begins at.
  var pastSpan: String { past.map { "the last \(span(wall - $0.wall))" } ?? "the last minute" }
}

/// What one server said, while sources read it.
struct NodeReading {
  var facts: NodeFacts
  let info: InfoText
  let server: ServerFacts
  /// How it stood at the look before; nil at the first.
  let earlier: NodeFacts?
  /// From when on what it has on record is new.
  let since: WallTime
  var figures: [Evidence.Figure] = []
  var sections: [Evidence.Section] = []

  init(
    _ info: InfoText, instance: String, role: FleetMember.Role, past: CounterTracker.Past?, earlier: NodeFacts?,
    since: WallTime, wall: WallTime
  ) {
    self.info = info
    server = ServerFacts(info)
    self.earlier = earlier
    self.since = since
    facts = NodeFacts(instance: instance, role: role, wall: wall)
    facts.past = past
    for name in Self.numbers + ServerCounts.names { facts.numbers[name] = info.finite(name) }
    for name in Self.words { facts.words[name] = info.text(name).map { oneLine($0.cut(toBytes: 64)) } }
  }

  private static let numbers = [
    "connected_clients", "blocked_clients", "maxclients", "used_memory", "used_memory_rss", "used_memory_peak",
    "maxmemory",
    "mem_clients_normal", "mem_clients_slaves", "mem_fragmentation_ratio", "mem_not_counted_for_evict",
    "instantaneous_ops_per_sec", "uptime_in_seconds", "rdb_changes_since_last_save", "rdb_last_save_time",
    "rdb_last_bgsave_time_sec", "latest_fork_usec", "aof_enabled", "aof_current_size", "master_repl_offset",
    "slave_repl_offset", "connected_slaves", "rdb_bgsave_in_progress", "aof_rewrite_in_progress", "process_id",
    "master_link_down_since_seconds", "paused_timeout_milliseconds", "repl_backlog_size", "loading", "async_loading",
    "loading_eta_seconds",
  ]
  private static let words = [
    "role", "run_id", "redis_version", "valkey_version", "maxmemory_policy", "rdb_last_bgsave_status",
    "aof_last_write_status",
    "aof_last_bgrewrite_status", "master_link_status", "master_host", "master_port", "paused_reason", "paused_actions",
    "cluster_state",
  ]

  /// Whether the counts of the look before are those of this process.
  var isSameProcess: Bool { earlier?.words["run_id"] == facts.words["run_id"] }

  /// Adds a figure where the server tells it.
  mutating func add(_ name: String, _ title: String, _ unit: Evidence.Unit) {
    if let value = facts.numbers[name] { figures.append(Evidence.Figure(name, title, unit, value)) }
  }

  /// Adds how fast a count rises, where that is known.
  mutating func addRate(_ name: String, _ title: String) {
    if let rate = facts.rate(name) { figures.append(Evidence.Figure("\(name)_rate", title, .perSecond, rate)) }
  }
}

/// Times and amounts as evidence tells them.
enum EvidenceText {
  /// `00:23:19`, UTC.
  static func clock(_ time: WallTime) -> String {
    guard time.seconds.isFinite, time.seconds >= 0 else { return "an unknown time" }
    let second = Int(clamping: time.seconds.rounded(.down)) % 86_400
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
  }

  /// `4.8 s`, `120 ms`, `0.4 ms`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "an unknown time" }
    func tenths(_ value: Double, _ unit: String) -> String {
      let tenths = Int(clamping: (value * 10).rounded())
      return tenths % 10 == 0 || tenths >= 1000 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    if seconds >= 600 { return span(seconds) }
    if seconds >= 1 { return tenths(seconds, "s") }
    return seconds >= 0.01 ? "\(Int(clamping: (seconds * 1000).rounded())) ms" : tenths(seconds * 1000, "ms")
  }

  /// `3 s before`, `at that moment`, `2 s after`: how one moment lies to another.
  static func distance(_ time: WallTime, from other: WallTime) -> String {
    let seconds = other - time
    if abs(seconds) < 1 { return "at that moment" }
    return seconds > 0 ? "\(span(seconds)) before" : "\(span(-seconds)) after"
  }

  /// `1.5 GiB`, `120 KiB`.
  static func bytes(_ value: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var (value, place) = (max(0, value), 0)
    while value >= 1024, place < units.count - 1 { (value, place) = (value / 1024, place + 1) }
    let tenths = Int(clamping: (value * 10).rounded())
    return place == 0 || tenths >= 100 || tenths % 10 == 0
      ? "\(Int(clamping: value.rounded())) \(units[place])" : "\(tenths / 10).\(tenths % 10) \(units[place])"
  }

  /// `1,234`.
  static func count(_ value: Double) -> String {
    let digits = Array(String(Int(clamping: value.rounded())))
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0, digits[place - 1] != "-" { text.append(",") }
      text.append(digit)
    }
    return text
  }
}
