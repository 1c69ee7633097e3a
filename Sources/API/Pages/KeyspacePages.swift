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
    return KeyspacePage(overview, metricsPath: metricsPath, now: .now).response()
  }
}

extension KeyspacePage {
  init(_ overview: WorkloadOverview, metricsPath: String, now: WallTime) {
    let instances = Set(overview.groups.flatMap(\.members).map(\.watched.instance))
    let keyspace = overview.keyspace
    self.init(
      overview.name, keyspace.map { State($0, instances) } ?? .off, metricsPath: metricsPath, nowSeconds: now.seconds)
    guard let keyspace else { return }
    growthSeconds = keyspace.growthSeconds
    pause = keyspace.pause.map(Self.reason) ?? ""
    turn =
      switch keyspace.turn {
      case .unknown: .unknown
      case .due(let time): .due(time.seconds)
      case .underWay: .underWay
      }
  }

  private static func reason(_ pause: KeyspaceOverview.Pause) -> String {
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
