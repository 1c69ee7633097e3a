import Config
import Redis
import Runtime

/// A check of the audit: it judges each server that was looked over, one at a time.
///
/// What it finds at the first look over a server is that server's baseline and alerts nobody; what `audit.accept` names
/// is no finding while it is accepted.
protocol AuditCheck: Check {
  var audit: AuditCheckID { get }
  /// Whether what is found at the first look alerts, too.
  var alertsAtOnce: Bool { get }
  func judge(_ server: AuditedServer, into verdict: inout Verdict)
}

extension AuditCheck {
  var id: String { audit.rawValue }
  var group: CheckGroup { .posture }
  var scope: CheckScope { .members }
  var alertsAtOnce: Bool { false }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for (member, facts) in state.up {
      guard let reading = member.audit else { continue }
      judge(AuditedServer(name: member.instance, facts: facts, reading: reading, state: state), into: &verdict)
    }
  }
}

/// A server that was looked over, as checks of the audit see it.
struct AuditedServer {
  /// The label `instance`.
  let name: String
  let facts: Shared<MemberFacts>
  let reading: Shared<AuditReading>
  let state: WorkloadState

  var config: AuditConfig { state.config.audit }
}

extension WorkloadState {
  /// Whether any server was looked over.
  var isAudited: Bool { members.contains { $0.audit != nil } }

  /// Why a finding is accepted now; nil where it is not.
  func acceptance(of finding: Finding) -> AcceptedFinding? {
    config.audit.accepted.first { accepted in
      accepted.check.rawValue == finding.check && wall.seconds < accepted.until.end
        && (accepted.instance == nil || accepted.instance == finding.subject.instance)
    }
  }
}

/// What was found when each server was looked over for the first time: it is shown and alerts nobody.
struct AuditBaseline: Sendable, Equatable {
  /// By instance and check: hashes of what was found. A check that has judged no server is in none.
  private(set) var found: [String: [String: Set<UInt64>]] = [:]

  private static func hash(_ finding: Finding) -> UInt64 { fnvHash("\(finding.severity.rawValue) \(finding.key)") }

  func contains(_ finding: Finding) -> Bool {
    guard let instance = finding.subject.instance else { return false }
    return found[instance]?[finding.check]?.contains(Self.hash(finding)) ?? false
  }

  /// Takes in what was found at servers that were looked over just now: what a check finds at a server the first time that
  /// it can judge there is the baseline; what is not found any more is forgotten.
  ///
  /// - Parameter blind: checks that could not judge, by instance.
  mutating func note(
    _ findings: [Finding], of instances: [String], checks: [any AuditCheck], blind: Set<Place>
  ) {
    let byPlace = Dictionary(grouping: findings) { Place(instance: $0.subject.instance ?? "", check: $0.check) }
    for instance in instances {
      for check in checks where !blind.contains(Place(instance: instance, check: check.id)) {
        let now = Set((byPlace[Place(instance: instance, check: check.id)] ?? []).map(Self.hash))
        let before = found[instance]?[check.id]
        found[instance, default: [:]][check.id] = before.map { $0.intersection(now) } ?? (check.alertsAtOnce ? [] : now)
      }
    }
  }

  mutating func forget(allBut instances: Set<String>) { found = found.filter { instances.contains($0.key) } }

  struct Place: Hashable {
    let instance: String
    let check: String
  }
}
