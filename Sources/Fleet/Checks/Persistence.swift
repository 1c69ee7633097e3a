import Config
import Metrics
import Redis
import Runtime

/// A member could not write its dump or its append-only file.
struct PersistenceFailing: Check {
  let id = "persistence-failing"
  let scope = CheckScope.members

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      let (name, subject) = (member.instance, Finding.Subject.node(member.instance))
      if !facts.persistence.isLastSaveOK { verdict.find(.warning, subject, "The last save of \(name) failed") }
      if facts.persistence.isAOFEnabled, !facts.persistence.isAOFWriteOK {
        verdict.find(.critical, subject, "\(name) cannot write its append-only file")
      }
    }
  }
}

/// A master does not persist as the workload asks.
struct PersistenceUnfit: Check {
  let id = "persistence-unfit"
  let group = CheckGroup.posture
  let scope = CheckScope.members
  private static let fits = Family.gauge(
    "persistence_fits",
    "Whether the master's persistence is what the workload asks for, as far as it can be read: 1 yes, 0 no.",
    labels: ["instance"])
  var families: [Family] { [Self.fits] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up where member.isMaster {
      guard let fits = state.config.persistence.fits(facts.persistence) else { continue }
      verdict.add(Self.fits, fits ? 1 : 0, .text(member.instance))
      if !fits {
        verdict.find(.warning, node: member.instance, "does not persist as the workload asks")
      }
    }
  }
}

/// A crash of a master would lose more than the objective allows.
struct RecoveryPointCrash: Check {
  let id = "recovery-point-crash"
  let scope = CheckScope.members
  private static let loss = Family.gauge(
    "recovery_point_crash_seconds",
    "Seconds of writes that a crash of the master would lose now; +Inf if nothing limits the loss.",
    labels: ["instance"], unit: .seconds)
  private static let basis = Family.gauge(
    "recovery_point_basis",
    "Form of persistence that decides what a crash would lose: 1 for the current one, 0 for the others.",
    labels: ["instance", "basis"], traits: [.values(RecoveryPoint.Basis.allCases.map(\.rawValue), of: "basis")])
  var families: [Family] { [Self.loss, Self.basis] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    // A cache is rebuilt from elsewhere: it has nothing to lose where no RPO is set.
    guard state.config.objectives.rpo != nil else { return }
    for (member, facts) in state.up where member.isMaster {
      guard facts.persistence.isTold else {
        verdict.unknown(.node(member.instance), "INFO says nothing of how the server persists")
        continue
      }
      let point = RecoveryPoint(
        crashOf: facts.persistence, isFsyncDelayed: member.delayedFsync?.isNewest ?? false,
        nowSeconds: state.wall.seconds)
      verdict.add(Self.loss, point.seconds, .text(member.instance))
      verdict.add(Self.basis, oneOf: point.basis, [.text(member.instance)])
      guard let rpo = state.objectives.rpo?.seconds, point.seconds > rpo else { continue }
      let text = "A crash of \(member.instance) would lose \(writes(point.seconds)) (\(point.basis.rawValue))"
      verdict.find(.warning, .node(member.instance), text)
    }
  }
}

/// A failover would lose more than the objective allows.
struct RecoveryPointFailover: Check {
  let id = "recovery-point-failover"
  private static let loss = Family.gauge(
    "workload_recovery_point_failover_seconds",
    "Seconds of writes that a failover would lose now; +Inf while no replica can be promoted.", unit: .seconds)
  var families: [Family] { [Self.loss] }
  /// Between two polls a replica seems to be late by as much.
  private static let noiseSeconds = 5.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.config.objectives.rpo != nil, let seconds = state.failoverLossSeconds else { return }
    verdict.add(Self.loss, seconds)
    guard let rpo = state.objectives.rpo?.seconds, seconds > max(rpo, Self.noiseSeconds) else { return }
    verdict.find(
      .warning,
      seconds.isFinite ? "A failover would lose \(writes(seconds))" : "No replica can be promoted in a failover")
  }
}

/// The newest dump of a group of members is too old. One good dump is enough, no matter which member wrote it.
struct BackupOld: Check {
  let id = "backup-old"
  private static let hasSaved = Family.gauge(
    "rdb_ever_saved", "Whether the server has written or loaded an RDB file since its start: 1 yes, 0 no.",
    labels: ["instance"])
  private static let age = Family.gauge(
    "rdb_age_seconds",
    "Age of the last good RDB file, by the server's own clock; absent if none was written or loaded.",
    labels: ["instance"], unit: .seconds)
  var families: [Family] { [Self.hasSaved, Self.age] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up where facts.persistence.isTold {
      let instance = LabelValue(member.instance)
      verdict.add(Self.hasSaved, facts.persistence.hasSaved ? 1 : 0, instance)
      if let age = facts.persistence.dumpAgeSeconds(nowSeconds: state.wall.seconds) {
        verdict.add(Self.age, age, instance)
      }
    }
    guard let limit = state.objectives.backupAge?.seconds else { return }
    let groups =
      state.config.topology.isIndependent
      ? state.members.map { [$0.address] } : state.following.groups.map(\.members)
    for group in groups {
      let known = group.compactMap { state[$0]?.facts?.persistence }.filter(\.isTold)
      guard let first = group.first, !known.isEmpty else { continue }
      let verdictOfGroup = BackupVerdict(known, limitSeconds: limit, nowSeconds: state.wall.seconds)
      guard verdictOfGroup.isTooOld else { continue }
      let name = state.name(first)
      let text =
        verdictOfGroup.ageSeconds.map {
          "The newest RDB file of \(name) is \(span($0)) old; the objective is \(span(limit))"
        } ?? "\(name) has no RDB file since its start"
      verdict.find(.warning, .shard(name), text)
    }
  }
}

/// `12 s of writes`
private func writes(_ seconds: Double) -> String {
  seconds.isFinite ? "\(span(seconds)) of writes" : "writes without bound"
}

extension PersistencePolicy {
  /// Whether a server persists so; nil where nothing is asked, or what is asked cannot be read.
  func fits(_ facts: PersistenceFacts) -> Bool? {
    guard facts.isTold else { return nil }
    let rdb: Bool? = isRDBOn.flatMap { wanted in facts.hasSaveRules.map { $0 == wanted } }
    let log: Bool? =
      switch aof {
      case nil: nil
      case .off: !facts.isAOFEnabled
      case .everysec: facts.isAOFEnabled ? facts.appendFsync.map { $0 != .no } : false
      case .always: facts.isAOFEnabled ? facts.appendFsync.map { $0 == .always } : false
      }
    let verdicts = [rdb, log].compactMap { $0 }
    return verdicts.isEmpty ? nil : verdicts.allSatisfy { $0 }
  }
}
