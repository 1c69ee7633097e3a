import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Storage
import Transport

/// What all workloads of a fleet share.
public struct FleetContext: Sendable {
  public let connections: ConnectionContext
  public let registry: Registry
  /// Where secrets that are named by variables come from.
  public let environment: [String: String]
  public let collectors: CollectorOptions
  /// The share of a server's time that work on keys may take, in (0, 0.5].
  public let keyDutyRatio: Double
  /// CLIENT SETNAME on every connection; nil for none.
  public let clientName: String?
  /// Members that each workload may have at most: what descriptors allow.
  public let memberLimit: Int
  /// Where events and counts are kept; nil for memory alone.
  public let store: Store?
  /// Keeps what polls bring and checks say; nil where nothing is recorded.
  public let recorder: FlightRecorder?
  public let log: Logger
  let sentinels = SentinelPool()
  let findingAllowances = FindingAllowances()
  let keyspaceRoom = KeyspaceRoom()
  /// Maintenance windows that marks opened.
  let changes = ChangeWindows()

  public init(
    connections: ConnectionContext, registry: Registry, environment: [String: String],
    collectors: CollectorOptions, keyDutyRatio: Double = 0.01, clientName: String?, memberLimit: Int, store: Store?,
    recorder: FlightRecorder? = nil, log: Logger
  ) {
    self.connections = connections
    self.registry = registry
    self.environment = environment
    self.collectors = collectors
    self.keyDutyRatio = keyDutyRatio
    self.clientName = clientName
    self.memberLimit = memberLimit
    self.store = store
    self.recorder = recorder
    self.log = log
  }
}

/// Makes the nodes of a workload, each with the credentials of its side.
struct MemberFactory: Sendable {
  let config: WorkloadConfig
  let context: FleetContext
  let log: Logger
  let policy: AddressPolicy
  /// How late the polls of all members began.
  let lateness = Histogram(PollFamilies.lateness, edges: PollFamilies.latenessEdges)

  init(config: WorkloadConfig, context: FleetContext, log: Logger) {
    self.config = config
    self.context = context
    self.log = log
    policy = AddressPolicy(config)
  }

  /// A large workload's first polls do not all begin at once: the memory that their replies take together would stay.
  private var spread: Duration { min(config.pollInterval, Self.spreadPerSeed * config.seeds.count) }
  private static let spreadPerSeed: Duration = .milliseconds(5)

  /// Labels of a member's series.
  private func labels(_ instance: String) -> [PollerOptions.Label] {
    [.init("workload", config.name), .init("instance", instance)]
      + (config.environment.map { [.init("environment", $0)] } ?? [])
  }

  /// A data node. It is on the fleet's page unless `isScout`.
  func member(_ address: NodeAddress, announced hostname: String?, isScout: Bool) throws -> WatchedNode {
    let instance = instance(of: address, announced: hostname)
    var options = PollerOptions(connection: connection(to: address, config.login, config.tls))
    options.connection.announcedName = certifiedName(hostname)
    options.origin = .workload(isSeed: policy.isSeed(address))
    options.labels = labels(instance)
    return try watched(options, address, instance, page: isScout ? nil : "member", isProbed: !isScout)
  }

  /// A Sentinel: it may serve others too, so it carries no workload, and the group's name is that of the workload that
  /// asked first.
  func sentinel(_ address: NodeAddress, _ group: SentinelGroup) throws -> WatchedNode {
    let instance = instance(of: address, announced: nil)
    var options = PollerOptions(connection: connection(to: address, group.login, group.tls))
    options.origin = .sentinel(isSeed: policy.isSeed(address))
    options.labels =
      [.init("sentinel_group", config.name), .init("instance", instance)]
      + (config.environment.map { [.init("environment", $0)] } ?? [])
    let key = SentinelPool.Key(
      endpoint: options.connection.address.endpoint, login: group.login, tls: group.tls,
      pollInterval: config.pollInterval, timeout: config.timeout, instance: instance, environment: config.environment)
    return try context.sentinels.lease(key, masterName: group.masterName) { masters in
      try watched(options, address, instance, page: "sentinel", isProbed: false, masters: masters)
    }
  }

  func sentinelConnection(_ address: NodeAddress, _ group: SentinelGroup) -> ConnectionOptions {
    connection(to: address, group.login, group.tls)
  }

  /// The name that the certificate of a member may carry besides its address; nil where there is no TLS.
  func certifiedName(_ announced: String?) -> String? { config.tls == nil ? nil : policy.certifiedName(announced) }

  /// The label `instance` of the server at an address.
  func instance(of address: NodeAddress, announced hostname: String?) -> String {
    config.instanceName(of: address, announced: hostname)
  }

  private func watched(
    _ options: PollerOptions, _ address: NodeAddress, _ instance: String, page: String?, isProbed: Bool,
    masters: MasterNames = MasterNames()
  ) throws -> WatchedNode {
    var options = options
    options.collectors = context.collectors
    options.timeout = TimeAmount(config.timeout)
    let recorder = context.recorder
    let recorded = RecordedNode(
      workload: config.name, role: page == nil ? .scout : page == "sentinel" ? .sentinel : .member, address: address,
      instance: instance)
    options.recording = recorder.map { recorder in
      PollRecording(note: { recorder.note($0, of: recorded) }, end: { recorder.note(gone: recorded) })
    }
    let fleetPage = page.map { FleetPage(context.registry, name: "\(config.name)/\($0)/\(address.name)") }
    let node = try Node(
      options, keyWork: KeyWorkOptions(), schedule: nil,
      collectors: CollectorCatalogue.all + [MembershipCollector(masters: masters)],
      context: context.connections, on: context.connections.pollLoop, log: log, fleetPage: fleetPage)
    return WatchedNode(
      address: address, instance: instance, node: node, interval: config.pollInterval, spread: spread,
      lateness: lateness
    ) { mayConnect, pollNow in
      guard isProbed else { return nil }
      let labels = options.constantLabels
      let wasAnswered = Lock<Bool?>(nil)
      return Prober(
        options.connection, timeout: options.timeout, context: context.connections, mayConnect: mayConnect,
        cost: node.cost, pollNow: pollNow
      ) { counts, missedCount in
        fleetPage?.publish(counts.samples(missedCount: missedCount, constantLabels: labels), under: "probe")
        guard let recorder, let isAnswered = counts.isAnswered, isAnswered != wasAnswered.withLock({ $0 }) else {
          return
        }
        wasAnswered.withLock { $0 = isAnswered }
        recorder.note(probeAnswered: isAnswered, of: recorded)
      }
    }
  }

  private func connection(to address: NodeAddress, _ login: LoginConfig?, _ tls: TLSConfig?) -> ConnectionOptions {
    config.connection(
      to: address, login, tls, policy: policy, environment: context.environment, clientName: context.clientName)
  }
}

extension WorkloadConfig {
  /// The alias of the configuration, else the name that the server announces, else its address.
  func instanceName(of address: NodeAddress, announced hostname: String?) -> String {
    if let alias = aliases[address.name] { return alias }
    guard let hostname, !hostname.isEmpty else { return address.name }
    let named = NodeAddress(host: hostname, port: address.port).name
    return aliases[named] ?? named
  }
}

extension NodeAddress {
  /// A seed; a unix socket is its path with port 0.
  init(_ seed: SeedAddress) {
    switch seed.endpoint {
    case .tcp(let host, let port): self.init(host: host, port: port)
    case .unix(let path): self.init(host: path, port: 0)
    }
  }

  var isPath: Bool { host.hasPrefix("/") }

  /// The form of the configuration's addresses: `host:port`, `[ipv6]:port`, `unix:///path`.
  var name: String { isPath ? "unix://\(host)" : description }
}
