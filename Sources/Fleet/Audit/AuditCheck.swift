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
  /// Who looks over no server has nothing to say of it.
  func applies(to state: WorkloadState) -> Bool { state.isAudited }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for server in state.auditedServers { judge(server, into: &verdict) }
  }
}

/// A server that was looked over, as checks of the audit see it.
struct AuditedServer {
  /// The label `instance`.
  let name: String
  let address: NodeAddress
  let facts: Shared<MemberFacts>
  let reading: AuditReading
  let state: WorkloadState

  var config: AuditConfig { state.config.audit }
}

extension WorkloadState {
  /// The members that answer and were looked over.
  var auditedServers: [AuditedServer] {
    up.compactMap { member, facts in
      member.audit.map {
        AuditedServer(
          name: member.instance, address: member.address, facts: facts, reading: $0.value, state: self)
      }
    }
  }

  /// Why a finding is accepted now; nil where it is not.
  func acceptance(of finding: Finding) -> AcceptedFinding? {
    config.audit.accepted.first { accepted in
      accepted.check.rawValue == finding.check && wall.seconds < accepted.until.end
        && (accepted.instance == nil || accepted.instance == finding.subject.instance)
    }
  }
}
