import Config
import Fleet
import Runtime

/// One server as runbooks know it.
struct RunbookServer: Sendable {
  /// The label `instance`.
  let instance: String
  /// What it was when it last answered.
  let role: FleetMember.Role
  let isUp: Bool
  /// Servers of the same shard have the same number.
  let shard: Int
  var lagSeconds: Double?
  /// Nil for an address that cannot stand in a command.
  let command: ServerCommand?
}

/// What the placeholders of a runbook stand for: a workload as it is now, and the labels of an alert of it.
struct RunbookTarget: Sendable {
  /// Those of the alert.
  var labels: [String: String] = [:]
  /// Nil where no workload is known.
  var workload: WorkloadConfig?
  var servers: [RunbookServer] = []
  var setting = RunbookSetting()

  /// What a placeholder comes to.
  enum Value {
    case servers([RunbookServer])
    case word(String)
    case unknown
  }

  func value(of placeholder: RunbookPlaceholder) -> Value {
    switch placeholder.kind {
    case .server: server(placeholder).map { .servers([$0]) } ?? .unknown
    case .servers:
      switch all(placeholder) {
      case let found where found.isEmpty: .unknown
      case let found: .servers(found)
      }
    case .word: word(placeholder).map { .word($0) } ?? .unknown
    case .chosen: .unknown
    }
  }

  /// Of the alert's server; nil where it has none, or none that can be named.
  var host: String? { node?.command?.host }

  // MARK: Words

  private func word(_ placeholder: RunbookPlaceholder) -> String? {
    switch placeholder {
    case .workload: workload?.name ?? labels["workload"]
    case .masterName: labels["master_name"] ?? workload?.sentinel?.masterName
    // A database is written `db3` in labels.
    case .db: workload == nil ? nil : labels["db"].map { $0.hasPrefix("db") ? String($0.dropFirst(2)) : $0 } ?? "0"
    case .user: workload.map { $0.login?.user ?? "default" }
    case .config: setting.configurationPath
    case .redline: setting.ownAddress
    case .metrics: setting.ownAddress.map { $0 + setting.metricsPath }
    default: labels[placeholder.rawValue]
    }
  }

  // MARK: Servers

  private var node: RunbookServer? { labels["instance"].flatMap { name in servers.first { $0.instance == name } } }

  private func all(_ placeholder: RunbookPlaceholder) -> [RunbookServer] {
    switch placeholder {
    case .masters: preferringUp(servers.filter { $0.role == .master })
    case .replicas: servers.filter { $0.role == .replica }
    case .sentinels: servers.filter { $0.role == .sentinel }
    default: servers.filter { $0.role != .sentinel }
    }
  }

  private func server(_ placeholder: RunbookPlaceholder) -> RunbookServer? {
    let members = servers.filter { $0.role != .sentinel }
    switch placeholder {
    case .node: return node
    case .master: return only(preferringUp(shard(in: members).filter { $0.role == .master }))
    case .replica:
      let replicas = shard(in: members).filter { $0.role == .replica }
      let others = replicas.filter { $0.instance != node?.instance }
      return preferringUp(others.isEmpty ? replicas : others).min {
        ($0.lagSeconds ?? .infinity) < ($1.lagSeconds ?? .infinity)
      }
    case .sentinel:
      let sentinels = servers.filter { $0.role == .sentinel }
      if let name = labels["sentinel"], let one = sentinels.first(where: { $0.instance == name }) { return one }
      return preferringUp(sentinels).first
    case .cluster: return workload?.topology == .cluster ? preferringUp(members).first : nil
    case .keys:
      let masters = preferringUp(members.filter { $0.role == .master })
      return workload?.topology == .cluster ? masters.first : only(masters)
    default: return preferringUp(members).first
    }
  }

  /// The servers of the shard that it is about: that of the alert's server, the only one, or the only one that has lost its
  /// master; none where it could be several, since a command for the wrong one does harm.
  private func shard(in members: [RunbookServer]) -> [RunbookServer] {
    if let node, node.role != .sentinel { return members.filter { $0.shard == node.shard } }
    let shards = Dictionary(grouping: members, by: \.shard)
    if shards.count == 1 { return members }
    let orphaned = shards.values.filter { shard in !shard.contains { $0.role == .master && $0.isUp } }
    return orphaned.count == 1 ? orphaned[0] : []
  }

  private func preferringUp(_ servers: [RunbookServer]) -> [RunbookServer] {
    let up = servers.filter(\.isUp)
    return up.isEmpty ? servers : up
  }

  /// The one server; nil where it could be several.
  private func only(_ servers: [RunbookServer]) -> RunbookServer? { servers.count == 1 ? servers[0] : nil }
}

/// What the daemon and its configuration say, for all runbooks alike.
public struct RunbookSetting: Sendable {
  var workloads: [String: WorkloadConfig] = [:]
  var configurationPath: String?
  /// Where people reach this daemon, without a slash at the end.
  var ownAddress: String?
  var metricsPath = "/metrics"
  /// `$CREDENTIALS_DIRECTORY` of the daemon.
  var credentialsFolder: String?
  /// What runbooks end with.
  var links: [RunbookLink] = []

  init() {}

  public init(
    _ config: FleetConfig, path: String, ownAddress: String, metricsPath: String, credentialsFolder: String?
  ) {
    workloads = Dictionary(config.workloads.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    configurationPath = path
    self.ownAddress = ownAddress.hasSuffix("/") ? String(ownAddress.dropLast()) : ownAddress
    self.metricsPath = metricsPath
    links = config.rules?.runbookLinks ?? []
    self.credentialsFolder = credentialsFolder
  }
}

extension RunbookTarget {
  /// - Parameter overview: of the workload that the alert is about; nil where it is about none.
  init(labels: [String: String], _ overview: WorkloadOverview?, _ setting: RunbookSetting) {
    self.init(labels: labels, workload: overview.flatMap { setting.workloads[$0.name] }, setting: setting)
    guard let overview, let workload else { return }
    for (shard, group) in overview.groups.enumerated() {
      servers += group.members.map { RunbookServer($0, of: workload, shard: shard, setting) }
    }
  }
}

extension RunbookServer {
  /// The variables that stand for passwords of `redline.yml` itself.
  static let passwordName = "REDIS_PASSWORD"
  static let sentinelPasswordName = "SENTINEL_PASSWORD"

  fileprivate init(
    _ member: WorkloadOverview.Member, of workload: WorkloadConfig, shard: Int, _ setting: RunbookSetting
  ) {
    let watched = member.watched
    let isSentinel = watched.role == .sentinel
    self.init(
      instance: watched.instance, role: watched.role, isUp: watched.node.poller.newest?.state.isUp ?? false,
      shard: shard, lagSeconds: member.lag?.seconds,
      command: ServerCommand(
        watched.address, login: isSentinel ? workload.sentinel?.login : workload.login,
        tls: isSentinel ? workload.sentinel?.tls : workload.tls,
        passwordName: isSentinel ? Self.sentinelPasswordName : Self.passwordName,
        credentialsFolder: setting.credentialsFolder))
  }
}
