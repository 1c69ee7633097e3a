import Fleet
import Metrics
import Web

/// What a server said the last time it was asked, by the names of families without the namespace.
struct CurrentSamples {
  struct Sample {
    let labels: [String: String]
    let value: Double
  }

  private static let names: Set = [
    "memory_used_bytes", "memory_max_bytes", "instantaneous_operations_per_second", "connected_clients",
    "uptime_in_seconds", "keyspace_hits_total", "keyspace_misses_total", "slowlog_length",
    "last_slow_execution_duration_seconds", "last_slow_execution_timestamp_seconds", "client_connections_by_name",
    "instance_info", "sentinel_master_status", "sentinel_master_slaves", "sentinel_master_ok_slaves",
    "sentinel_master_sentinels", "sentinel_master_ok_sentinels", "sentinel_master_setting_ckquorum",
    "sentinel_master_ckquorum_status", "aof_enabled",
  ]
  static let settingPrefix = "config_"

  private var samples: [String: [Sample]] = [:]

  init(of node: Node, namespace: String) {
    let prefix = namespace.isEmpty ? "" : "\(namespace)_"
    @Sendable func short(_ name: String) -> String {
      name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
    var selection = FamilySelection(namespace: namespace) { name in
      let name = short(name)
      return Self.names.contains(name) || name.hasPrefix(Self.settingPrefix)
    }
    for source in node.registry.page().sources {
      var found: [Samples.SeriesText] = []
      source.forEachSeries(of: &selection, namespace: namespace, areEdgesFloats: false) { found.append($0) }
      var values: [Double] = []
      source.appendValues(of: &selection, to: &values)
      for (series, value) in zip(found, values) {
        let labels = Dictionary(series.labels.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        samples[short(series.name), default: []].append(Sample(labels: labels, value: value))
      }
    }
  }

  subscript(name: String) -> Double? { samples[name]?.first?.value }

  func all(_ name: String) -> [Sample] { samples[name] ?? [] }

  /// Numbers of the configuration that are one each, by name. What an operator asked for by a flag may be anything.
  var settings: [(name: String, value: Double)] {
    samples.filter { $0.key.hasPrefix(Self.settingPrefix) && $0.value.count == 1 && $0.value[0].labels["value"] == nil }
      .map { (name: String($0.key.dropFirst(Self.settingPrefix.count)), value: $0.value[0].value) }
      .sorted { $0.name < $1.name }
  }
}

extension NodePage {
  /// What the newest answer tells beside the figures.
  mutating func take(_ now: CurrentSamples) {
    if let uptime = now["uptime_in_seconds"] {
      let words = TimeSeries.Unit.seconds.words(uptime)
      identity.facts.append(("Up for", condition.asOfSeconds == nil ? words : "\(words) when it last answered"))
    }
    if let entries = now["slowlog_length"] {
      var log = SlowLog()
      log.entryCount = entries
      log.newestDurationSeconds = now["last_slow_execution_duration_seconds"]
      log.newestSeconds = now["last_slow_execution_timestamp_seconds"]
      slowLog = log
    }
    clients = now.all("client_connections_by_name").map { ClientName($0.labels["name"] ?? "", count: $0.value) }
    takeSettings(now)
    takeMasters(now)
  }

  private mutating func takeSettings(_ now: CurrentSamples) {
    let policy = now.all("instance_info").compactMap { $0.labels["maxmemory_policy"] }.first { !$0.isEmpty }
    if let policy { settings.append(("maxmemory-policy", policy)) }
    if let isOn = now["aof_enabled"] { settings.append(("appendonly", isOn == 1 ? "yes" : "no")) }
    settings += now.settings.map { name, value in
      let isSize = ["maxmemory", "repl_backlog_size"].contains(name) || name.hasSuffix("_bytes")
      let unit: TimeSeries.Unit = isSize ? .bytes : name.hasSuffix("_seconds") ? .seconds : .count
      let words = name == "maxmemory" && value == 0 ? "no limit" : unit.words(value)
      return (name.replacing("_", with: "-"), words)
    }
  }

  /// The masters of a Sentinel.
  private mutating func takeMasters(_ now: CurrentSamples) {
    func value(_ family: String, _ name: String) -> Double? {
      now.all(family).first { $0.labels["master_name"] == name }?.value
    }
    sentinel.masters = now.all("sentinel_master_status").map { sample in
      let name = sample.labels["master_name"] ?? ""
      var master = WatchedMaster(
        name, address: sample.labels["master_address"] ?? "", status: sample.labels["master_status"] ?? "",
        isWell: sample.value == 1)
      master.replicas = value("sentinel_master_slaves", name)
      master.wellReplicas = value("sentinel_master_ok_slaves", name)
      master.sentinels = value("sentinel_master_sentinels", name)
      master.wellSentinels = value("sentinel_master_ok_sentinels", name)
      master.quorum = value("sentinel_master_setting_ckquorum", name)
      if let said = now.all("sentinel_master_ckquorum_status").first(where: { $0.labels["master_name"] == name }) {
        (master.agreement, master.canAgree) = (said.labels["message"] ?? "", said.value == 1)
      }
      return master
    }
  }
}
