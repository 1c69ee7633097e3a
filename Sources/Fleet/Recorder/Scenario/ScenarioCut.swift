import Config
import Redis
import Runtime

/// Makes a scenario of a part of a recording: what the servers of a workload said, look by look, and what a check makes of it
/// today.
///
/// A scenario knows less than the daemon did: no histories of latency, no keys, and none of what happened before it begins.
/// What is expected is what the check says of the scenario.
public struct ScenarioCut {
  private let workload: String
  private let check: String
  /// The workload as it was configured; to be set before anything is shown.
  public var config: WorkloadConfig?
  private var fleet = ReplayedFleet()
  private var names = ScenarioNames()
  private var replay: WorkloadReplay?
  private var shown: [NodeAddress: ScenarioServer] = [:]
  private var lines: [String] = []
  /// Milliseconds since 1970 of the first look, and of the next.
  private var beganAt: Int64?
  private var nextAt: Int64 = .min

  private static let fields: [String] = [
    "redis_version", "valkey_version", "redis_mode", "cluster_enabled", "uptime_in_seconds", "role", "loading",
    "connected_clients", "used_memory", "used_memory_rss", "total_system_memory", "maxmemory", "maxmemory_policy",
    "mem_not_counted_for_evict", "rdb_changes_since_last_save", "rdb_last_save_time", "rdb_last_bgsave_status",
    "rdb_last_bgsave_time_sec", "rdb_saves", "rdb_bgsave_in_progress", "aof_enabled", "aof_last_write_status",
    "aof_last_bgrewrite_status", "aof_delayed_fsync", "current_cow_size", "current_cow_peak", "rdb_last_cow_size",
    "aof_last_cow_size", "instantaneous_ops_per_sec", "keyspace_hits", "keyspace_misses", "evicted_keys",
    "rejected_connections", "cmdstat_flushall", "cmdstat_flushdb", "paused_reason", "paused_actions",
    "total_commands_processed", "errorstat_READONLY", "errorstat_MOVED",
    "paused_timeout_milliseconds", "connected_slaves", "master_host", "master_port", "master_link_status",
    "master_link_down_since_seconds", "master_link_up_since_seconds", "master_sync_in_progress", "master_repl_offset",
    "slave_repl_offset", "slave_priority", "slave_read_only", "master_replid", "master_replid2", "second_repl_offset",
  ]
  private static let known = Set(
    fields + (CommandMix.queueCommands + CommandMix.cacheCommands).map { "cmdstat_\($0)" })

  public init(workload: String, check: String) {
    self.workload = workload
    self.check = check
  }

  /// - Parameter isShown: whether it belongs to the part that the scenario is made of.
  public mutating func take(_ event: RecordedEvent, isShown: Bool) throws {
    fleet.take(event)
    guard isShown, case .poll(let poll) = event, poll.node.workload == workload else { return }
    let now = poll.ended.epochMs
    guard now >= nextAt, let config else { return }
    // Each server is polled once between two looks.
    nextAt = now + Int64(clamping: config.pollInterval.seconds * 1000)
    guard try hasEverybody else { return }
    try look(atMilliseconds: now, config)
  }

  /// Whether every server has been polled since the segment began: a look before that would miss some.
  private var hasEverybody: Bool {
    get throws { fleet.sorted(workload).allSatisfy { $0.poll != nil } }
  }

  /// - Returns: nil where nothing was polled in that part.
  public mutating func text() throws -> String? {
    guard let config, !lines.isEmpty else { return nil }
    let settings = names.text(config.scenarioText)
    return (["# Cut from a recording.", "workload: \(settings)"] + lines).joined(separator: "\n") + "\n"
  }

  // MARK: A look

  private mutating func look(atMilliseconds now: Int64, _ config: WorkloadConfig) throws {
    let began = beganAt ?? now
    beganAt = began
    let time = Double(now - began) / 1000
    var servers: [NodeAddress: ScenarioServer] = [:]
    // Hosts get their letters in the order of the servers.
    for server in fleet.sorted(workload) where server.node.role != .scout { _ = names.host(server.node.address.host) }
    for server in fleet.sorted(workload) where server.node.role != .scout {
      servers[names.address(server.node.address)] = try scenario(of: server, config, began)
    }
    lines += ["", "at \(time.rounded(.down) == time ? String(Int(clamping: time)) : String(time))s"]
    for (address, server) in servers.sorted(by: { $0.key < $1.key }) { show(server, at: address) }
    for address in shown.keys.sorted() where servers[address] == nil { lines.append("\(address) gone") }
    shown = servers
    if replay == nil {
      let text = "workloads: [{name: w, \(names.text(config.scenarioText).dropFirst())]"
      replay = WorkloadReplay(try FleetConfig.parse(Array(text.utf8), file: "the scenario").workloads[0])
    }
    guard let look = replay?.look(at: time, servers: servers) else { return }
    lines.append("expect \(look.verdict.health.rawValue)")
    let findings = look.judgement.findings.filter { $0.check == check }.map { ScenarioText.line($0) }
    let unknowns = look.verdict.unknowns.filter { $0.check == check }.map { ScenarioText.line($0) }
    lines += (findings + unknowns).map { "  \($0)" }
  }

  /// What differs from what the scenario said of the server before.
  private mutating func show(_ server: ScenarioServer, at address: NodeAddress) {
    let before = shown[address]
    if server.isUp {
      var own: [String] = []
      for (name, value) in server.fields where before?.value(name) != value { own.append("  \(name):\(value)") }
      if server.nodes != before?.nodes ?? [] { own += server.nodes.map { "  nodes \($0)" } }
      for (name, value) in server.settings.sorted(by: { $0.key < $1.key }) where before?.settings[name] != value {
        own.append("  config \(name) \(value)")
      }
      if before?.isUp != true || !own.isEmpty { lines += ["\(address) \(server.isSentinel ? "sentinel" : "up")"] + own }
    } else if before?.isUp != false {
      lines.append("\(address) down")
    }
    if let isAnswered = server.isProbeAnswered, before?.isProbeAnswered != isAnswered {
      lines.append("\(address) probe \(isAnswered ? "ok" : "lost")")
    }
  }

  private mutating func scenario(
    of server: ReplayedFleet.Server, _ config: WorkloadConfig, _ began: Int64
  ) throws -> ScenarioServer {
    // What is not repeated stays: also what it said before it was down.
    let address = names.address(server.node.address)
    var made = shown[address] ?? ScenarioServer()
    made.isSentinel = server.node.role == .sentinel
    made.isProbeAnswered = server.isProbeAnswered
    made.isUp = server.poll?.transcript != nil
    guard made.isUp, let transcript = server.poll?.transcript else { return made }
    let poll = try PollTranscript(transcript)
    if made.isSentinel {
      addSentinel(poll, try fleet.facts(server.poll)?.about(config.sentinel?.masterName ?? "").sentinel, to: &made)
      return made
    }
    // A list of replicas that became shorter must not keep its end.
    for (name, _) in made.fields where isNumbered(Array(name.utf8)[...], prefix: "slave") && poll.info[name] == nil {
      made.set(name, "")
    }
    for field in poll.info.fields {
      let name = String(decoding: poll.info.name(of: field), as: UTF8.self)
      guard Self.known.contains(name) || isNumbered(poll.info.name(of: field), prefix: "slave") else { continue }
      made.set(name, value(name, String(decoding: poll.info.value(of: field), as: UTF8.self), began))
    }
    if let nodes = poll.replies.first(where: { $0.collector == "membership" })?.replies.first?.bytes {
      made.nodes = addresses(in: nodes).map { names.text($0) }
    }
    if let reply = poll.replies.first(where: { $0.collector == "config" })?.replies.first,
      let settings = ServerConfig(reply)
    {
      for entry in settings.entries {
        made.settings[String(decoding: settings.key(of: entry), as: UTF8.self)] = String(
          decoding: settings.value(of: entry), as: UTF8.self)
      }
    }
    return made
  }

  /// Lines of CLUSTER NODES; hosts in them that are of no server of the recording get letters, too.
  private mutating func addresses(in nodes: ArraySlice<UInt8>) -> [String] {
    let lines = nodes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    for line in lines {
      let place = line.split(separator: " ").dropFirst().first?.prefix { $0 != "@" && $0 != "," } ?? ""
      if let colon = place.lastIndex(of: ":") { _ = names.host(String(place[..<colon])) }
    }
    return lines
  }

  private mutating func value(_ name: String, _ text: String, _ began: Int64) -> String {
    switch name {
    case "master_replid", "master_replid2": return text.utf8.count == 40 ? names.identity(text) : text
    case "master_host":
      return names.host(text)
    case "rdb_last_save_time":
      // A scenario has a clock of its own.
      guard let seconds = Int64(text) else { return text }
      return String(seconds &- began / 1000 &+ Int64(clamping: ScenarioServer.start))
    default: return names.text(text)
    }
  }

  private mutating func addSentinel(
    _ poll: PollTranscript, _ facts: MemberFacts.SentinelFacts?, to server: inout ScenarioServer
  ) {
    guard let facts else { return }
    if let master = facts.master {
      server.set("master", names.address(master.address).description)
      server.set("quorum", String(master.quorum))
      let own = poll.replies.first { $0.collector == "membership" }
      let about = zip(own?.commands ?? [], own?.replies ?? []).first { command, reply in
        command.description == "SENTINEL MASTER" && reply.field("name")?.text == master.name
      }
      server.set("flags", about?.1.field("flags")?.text ?? "master")
    }
    server.set("replicas", facts.replicas.map { names.address($0.address).description }.joined(separator: " "))
    server.set("peers", facts.peers.map { names.address($0.address).description }.joined(separator: " "))
    if case .notReached = facts.quorum { server.set("ckquorum", "lost") } else { server.set("ckquorum", "ok") }
  }
}
