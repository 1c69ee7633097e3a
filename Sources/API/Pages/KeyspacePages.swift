import Config
import Fleet
import Runtime
import Web

/// The pages below `/keys`.
struct KeyspacePages: Sendable {
  /// Nil where no fleet is watched.
  let fleet: FleetView?
  let metricsPath: String

  var routes: [Route] { [Route(under: "/keys/") { request in await page(request) }] }

  /// `/keys/WORKLOAD`
  private func page(_ request: Request) async -> Response {
    let name = request.rest(under: "/keys/") ?? ""
    guard let overview = await fleet?.workloads(named: name).first(where: { $0.overview.name == name })?.overview else {
      return ErrorPage(
        status: 404, title: "Not found",
        explanation: "No workload of this name is watched. All that are stand on the start page.",
        metricsPath: metricsPath
      ).response()
    }
    return KeyspacePage(overview, metricsPath: metricsPath, now: .now, isLoggedIn: request.isLoggedIn).response()
  }
}

extension KeyspacePage {
  /// - Parameter isLoggedIn: whether who asks had to log in, and did.
  init(_ overview: WorkloadOverview, metricsPath: String, now: WallTime, isLoggedIn: Bool = false) {
    let instances = Set(overview.groups.flatMap(\.members).map(\.watched.instance))
    let keyspace = overview.keyspace
    self.init(
      overview.name, keyspace.map { State($0, instances) } ?? .off, metricsPath: metricsPath, nowSeconds: now.seconds)
    patterns = overview.patterns.map { PatternsSection($0) }
    guard let keyspace else { return }
    growthSeconds = keyspace.growthSeconds
    largeKeys = keyspace.census.map { LargeKeys($0, keyspace.names, now: now, isLoggedIn: isLoggedIn) }
    pause = keyspace.pause.map(Self.reason) ?? ""
    turn =
      switch keyspace.turn {
      case .unknown: .unknown
      case .due(let time): .due(time.seconds)
      case .underWay: .underWay
      }
  }

  static func reason(_ pause: KeyspaceOverview.Pause) -> String {
    switch pause {
    case .noReader: "of some shard no server can be read"
    case .refused: "a server refuses a command that it needs; redline acl prints the rights"
    case .failed: "a server did not answer; the log says which and why"
    case .changed: "servers were restarted, flushed or failed over meanwhile"
    }
  }
}

extension KeyspacePage.State {
  fileprivate init(_ keyspace: KeyspaceOverview, _ instances: Set<String>) {
    if let report = keyspace.report {
      self = .sampled(KeyspacePage.Sample(report, keyspace, instances))
    } else if keyspace.newestAt != nil {
      self = .waiting("The last sample is too old to be shown: it stands for three intervals")
    } else {
      self = .waiting("No sample has ended yet")
    }
  }
}

extension KeyspacePage.Sample {
  fileprivate init(_ report: KeyspaceReport, _ keyspace: KeyspaceOverview, _ instances: Set<String>) {
    let estimate = report.estimate
    self.init(
      estimate.prefixes.map { prefix in
        var row = KeyspacePage.Row(prefix.name, keys: Estimate(prefix.keys))
        row.memory = prefix.memoryBytes.map(Estimate.init)
        row.keysWithoutTTL = prefix.keysWithoutTTL.map(Estimate.init)
        row.change = keyspace.growth[prefix.name].map(Estimate.init)
        row.expiry = KeyspacePage.Expiry(prefix.wave)
        return row
      }, KeyspacePage.Comparison(keyspace.comparison))
    (keyTotal, seenCount, areAllKeys) = (estimate.keyTotal, estimate.seenCount, estimate.areAllKeys)
    servers = report.servers.map { server in
      let parts = [server.isReplica ? "replica" : "master", server.product].compactMap { $0 }
      return KeyspacePage.Server(
        server.name, isMember: instances.contains(server.name), about: parts.joined(separator: ", "))
    }
    (beganSeconds, tookSeconds) = (report.beganAt.seconds, report.tookSeconds)
    (attributedRatio, isComplete) = (report.attributedRatio, report.isComplete)
    crowdingRatio = estimate.crowdingRatio
    isCrowded = estimate.crowdingRatio.map { $0 > KeyspaceEstimate.crowdingLimit } ?? false
    remarks += report.shortfalls.map { "\($0.capitalizedFirst)." }
  }
}

extension KeyspacePage.Comparison {
  fileprivate init(_ comparison: KeyspaceOverview.Comparison?) {
    switch comparison {
    case .with(let time): self = .with(seconds: time.seconds)
    case .begun(let since, let cause): self = .begun(sinceSeconds: since.seconds, reason: Self.reason(cause))
    case .refused: self = .none(reason: "the user lacks a right, see below")
    case .notKept: self = .none(reason: "no sample was kept to compare with")
    case nil: self = .none(reason: "there is no sample")
    }
  }

  private static func reason(_ cause: KeyspaceOverview.Comparison.Cause) -> String {
    switch cause {
    case .first: "sampling began not long ago"
    case .otherPlaces: "other places were chosen to be looked at, as every week"
    case .census: "large keys came to be known since that nobody had met before"
    case .otherServers: "servers were restarted, or other servers are read"
    }
  }
}

extension KeyspacePage.Expiry {
  fileprivate init(_ wave: KeyspaceEstimate.Wave) {
    switch wave {
    case .unknown: self = .unknown
    case .none: self = .none
    case .coming(let wave):
      self = .coming(
        KeyspacePage.Wave(
          seconds: Double(wave.timestampSeconds), isSecond: wave.spanSeconds == 1, keys: Estimate(wave.keys)))
    }
  }
}

extension LargeKeys {
  init(_ census: CensusOverview, _ names: KeyspaceConfig.Names, now: WallTime, isLoggedIn: Bool) {
    self.init(nowSeconds: now.seconds)
    rows = census.keys.map { key in
      Row(
        name: key.shownName(names, isLoggedIn: isLoggedIn), type: key.type, bytes: key.bytes, isExact: key.isExact,
        elementCount: key.elementCount,
        life: key.expires.map { .until($0.seconds) } ?? (key.neverExpires ? .endless : .unknown), server: key.server,
        database: key.database, maxMemoryRatio: key.maxMemoryRatio)
    }
    bigKeyBytes = census.bigKeyBytes
    (bigCount, bigKeysBytes, progressRatio) = (census.bigCount, census.bigKeysBytes, census.progressRatio)
    (endedSeconds, tookSeconds, foreverRatio) = (census.ended?.seconds, census.tookSeconds, census.foreverRatio)
    remarks = census.remarks
    if !rows.isEmpty {
      switch names {
      case .never: remarks.append("Names of keys are not shown (names: never).")
      case .hashed:
        remarks.append("Instead of names there are hashes, which change when redline starts (names: hashed).")
      case .loggedIn where isLoggedIn: break
      case .loggedIn:
        remarks.append(
          "Instead of names there are hashes, which change when redline starts: names are for those who log in, and this page asks nobody to."
        )
      }
    }
  }
}

extension CensusOverview {
  /// What it does not say, and why: sentences.
  fileprivate var remarks: [String] {
    var remarks: [String] = []
    if aimedCount < shardCount {
      let shards = aimedCount == 0 ? "No shard is" : "Of \(shardCount) shards, \(aimedCount) are"
      remarks.append(
        mode == .replicas
          ? "\(shards) looked at: none but replicas that keep up are read for this, since on a master SCAN deletes keys that have expired. With census: all masters are read, too."
          : "\(shards) looked at: of the others no server can be read.")
    }
    if let pause { remarks.append("The last attempt came to nothing: \(KeyspacePage.reason(pause)).") }
    if isMixed { remarks.append("Slots moved meanwhile: keys may have been met twice, or never.") }
    if omittedCount > 0 { remarks.append("\(omittedCount) steps hold names too large to be read and are left out.") }
    return remarks
  }
}
