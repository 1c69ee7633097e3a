import Config
import Metrics
import Runtime

/// A server's version has faults that are known, and somebody could make use of them.
struct KnownFaults: AuditCheck {
  let audit = AuditCheckID.cve

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    var oldest: Shared<Advisories>?
    for server in state.auditedServers {
      judge(server, into: &verdict)
      if case .known(let advisories)? = server.reading.advisories { oldest = advisories }
    }
    let now = state.wall.seconds
    if let oldest, oldest.value.ageDays(at: now) > Advisories.freshDays {
      verdict.find(.info, "The \(oldest.value.ageText(at: now)): newer faults are not in the file of audit.advisories")
    }
  }

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let judgement = server.advisories(into: &verdict) else { return }
    guard let found = judgement.faults ?? judgement.missingFloor else { return }
    verdict.find(found.severity, node: server.name, key: found.key, found.text)
  }
}

/// Nobody mends a server's version any more.
struct EndOfLife: AuditCheck {
  let audit = AuditCheckID.eol

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {
    guard let judgement = server.advisories(into: &verdict),
      let found = judgement.endOfLife(at: server.state.wall.seconds)
    else { return }
    verdict.find(found.severity, node: server.name, key: found.key, found.text)
  }
}

extension AuditedServer {
  /// Users that somebody was seen connected as; `default` is, where nobody is asked for a login.
  private var inUse: Set<String> {
    let seen = (reading.users.value ?? []).filter(isInUse).map(\.name)
    return Set(seen).union(reading.stranger.value == .served ? ["default"] : [])
  }

  /// nil where nothing can be judged; the verdict says why.
  fileprivate func advisories(into verdict: inout Verdict) -> AdvisoryJudgement? {
    let advisories: Shared<Advisories>
    switch reading.advisories {
    case nil:
      verdict.notCompared(.node(name), "no file of known faults is configured: audit.advisories")
      return nil
    case .unknown(let reason):
      verdict.unknown(.node(name), reason)
      return nil
    case .known(let known): advisories = known
    }
    let product: Advisories.Product
    let version: Version
    switch facts.server.product {
    case .valkey: (product, version) = (.valkey, facts.server.valkeyVersion ?? facts.server.version)
    case .redis: (product, version) = (.redis, facts.server.version)
    case .keydb:
      verdict.notCompared(.node(name), "the file knows nothing of KeyDB")
      return nil
    }
    guard version.major > 0 else {
      verdict.unknown(.node(name), "INFO does not tell its version")
      return nil
    }
    let port = reading.setting("tls-port").map { $0 != "0" }
    return AdvisoryJudgement(
      advisories: advisories.value,
      server: AdvisoryJudgement.Server(
        product: product, version: version, isClusterNode: facts.server.mode == .cluster,
        servesTLS: reading.way.usesTLS ? true : port,
        origin: PackageOrigin(
          declared: config.package, buildID: reading.process.buildID, version: version, advisories.value),
        users: reading.users, admins: Set(config.admins), inUse: inUse,
        ownUser: reading.ownUser == "default" ? nil : reading.ownUser))
  }
}
