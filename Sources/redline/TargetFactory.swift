import Config
import Fleet
import Glibc
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Transport

/// Makes nodes from the options: the configured target's and those of `/scrape`.
struct TargetFactory: Sendable {
  /// What a `/scrape` request may say of its target beside the address.
  struct Overrides: Sendable, Hashable {
    var keys: [KeyPattern]?
    var singleKeys: [KeyPattern]?
    var streams: [KeyPattern]?
    var singleStreams: [KeyPattern]?
    var counts: [KeyPattern]?
    var tlsServerName: String?
  }

  let options: Options
  let credentials: CredentialStore
  let context: ConnectionContext
  let scripts: [(fileName: String, source: String)]
  private let searchIndexes: (@Sendable ([UInt8]) -> Bool)?
  let log: Logger
  private let trust: TargetTrust
  /// For the targets that requests name.
  let strangers: ConnectionContext

  init(
    options: Options, credentials: CredentialStore, context: ConnectionContext,
    scripts: [(fileName: String, source: String)], searchIndexes: (@Sendable ([UInt8]) -> Bool)?, log: Logger
  ) {
    self.options = options
    self.credentials = credentials
    self.context = context
    self.scripts = scripts
    self.searchIndexes = searchIndexes
    self.log = log
    trust = TargetTrust(
      configured: options.redis.address.flatMap { try? RedisAddress($0) }, user: options.redis.user,
      serverName: options.redis.tls.serverName, allowed: options.web.scrapeHosts)
    strangers = context.forStrangers
  }

  /// The configured target: polled in the background only while nobody scrapes.
  ///
  /// - Throws: ``KeyWorkError`` for a key group pattern that cannot be used.
  func configured(_ address: RedisAddress, live: [@Sendable () -> Samples]) throws -> Node {
    try Node(
      pollerOptions(address, isTrusted: true, Overrides()), keyWork: keyWork(Overrides()),
      schedule: PollSchedule(interval: options.pollInterval, quietAfterDemand: .seconds(60)),
      context: context, log: log, live: live)
  }

  /// A target that a request names.
  func scraped(
    _ address: RedisAddress, _ overrides: Overrides, live: [@Sendable () -> Samples]
  ) throws -> Node {
    let distrust = trust.distrust(of: address, serverName: overrides.tlsServerName)
    var poller = pollerOptions(address, isTrusted: distrust == nil, overrides)
    poller.withheldCredentials = withheld(from: address, overrides.tlsServerName)
    poller.origin = .request
    return try Node(
      poller, keyWork: keyWork(overrides), schedule: nil, context: strangers, log: log, live: live)
  }

  /// How a target is connected to that a request names.
  func scrapedConnection(_ address: RedisAddress) -> ConnectionOptions {
    connection(address, isTrusted: trust.includes(address, serverName: nil))
  }

  /// Why a target that a request names gets no credentials, with what to do; nil for one that gets some.
  func withheld(from address: RedisAddress, _ tlsServerName: String?) -> String? {
    hasCredentials(address, tlsServerName) ? nil : trust.distrust(of: address, serverName: tlsServerName)
  }

  func connection(_ address: RedisAddress, isTrusted: Bool, tlsServerName: String? = nil) -> ConnectionOptions {
    var connection = ConnectionOptions(address: address)
    if isTrusted || trust.acceptsName(tlsServerName, of: address) {
      connection.credentials = { [credentials] in credentials.credentials(for: address, isTrusted: isTrusted) }
    }
    connection.clientName = options.redis.isClientNameSet ? "redis_exporter" : nil
    connection.pings = options.redis.isPingSent
    connection.literalsMayMove = true
    connection.tls.caFile = options.redis.tls.authoritiesFile
    if isTrusted || hasCredentials(address, tlsServerName) {
      connection.tls.certificateFile = options.redis.tls.identity?.certificateFile
      connection.tls.keyFile = options.redis.tls.identity?.keyFile
    }
    connection.tls.serverName = tlsServerName ?? options.redis.tls.serverName
    connection.tls.skipsVerification = options.redis.tls.isVerificationSkipped
    return connection
  }

  /// Whether a target that nobody trusts has a password of its own.
  private func hasCredentials(_ address: RedisAddress, _ tlsServerName: String?) -> Bool {
    trust.acceptsName(tlsServerName, of: address) && credentials.credentials(for: address, isTrusted: false) != nil
  }

  private func pollerOptions(
    _ address: RedisAddress, isTrusted: Bool, _ overrides: Overrides
  ) -> PollerOptions {
    var poller = PollerOptions(
      connection: connection(address, isTrusted: isTrusted, tlsServerName: overrides.tlsServerName))
    poller.collectors = collectorOptions
    poller.timeout = TimeAmount(options.redis.deadline)
    poller.appendsRole = options.export.isRoleLabelAppended
    return poller
  }

  func keyWork(_ overrides: Overrides = Overrides()) -> KeyWorkOptions {
    var work = KeyWorkOptions(options.keys, scripts: scripts)
    work.checkKeys = overrides.keys ?? work.checkKeys
    work.checkSingleKeys = overrides.singleKeys ?? work.checkSingleKeys
    work.checkStreams = overrides.streams ?? work.checkStreams
    work.checkSingleStreams = overrides.singleStreams ?? work.checkSingleStreams
    work.countKeys = overrides.counts ?? work.countKeys
    work.searchIndexes = searchIndexes
    work.isCluster = options.redis.isCluster
    work.configCommand = options.redis.configCommand
    work.timeout = TimeAmount(options.redis.deadline)
    return work
  }

  /// The size of a file that a server names; 0 where there is none, nil while that is not known.
  private static func fileSize(_ path: String) async -> Int? {
    let size: Int?? = try? await FileWork.shared.value(
      of: path, within: .milliseconds(200), isRecorded: false
    ) { () throws(FileProblem) -> Int? in SmallFile.size(path) ?? (errno == ENOENT ? 0 : nil) }
    return size ?? nil
  }

  var collectorOptions: CollectorOptions {
    let export = options.export
    var collectors = CollectorOptions()
    collectors.configCommand = options.redis.configCommand
    collectors.includesConfig = export.areConfigMetricsIncluded
    collectors.redactsConfig = export.isConfigRedacted
    collectors.includesSystemMetrics = export.areSystemMetricsIncluded
    collectors.includesModules = export.areModulesIncluded
    collectors.isTile38 = export.isTile38
    collectors.includesSentinelPeers = export.areSentinelPeersIncluded
    collectors.includesEmptyDatabases = export.areEmptyDatabasesIncluded
    collectors.includesRDBFileSize = export.isRDBFileSizeIncluded
    collectors.clients = export.clients
    collectors.findFileSize = { await Self.fileSize($0) }
    collectors.excludesLatency = !export.areLatenciesIncluded
    return collectors
  }
}
