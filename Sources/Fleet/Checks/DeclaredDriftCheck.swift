import Config
import Metrics
import Runtime

/// A server runs with other settings than the file under version control says.
struct DeclaredDriftFound: AuditCheck {
  let audit = AuditCheckID.declaredDrift
  /// Somebody declared what should run: what differs from the first is no baseline.
  let alertsAtOnce = true
  private static let settings = Family.gauge(
    "instance_declared_drift_settings",
    "Settings of the server that differ from the declared file; absent while too little of it can be seen.",
    labels: ["instance"])
  var families: [Family] { [Self.settings] }

  func applies(to state: WorkloadState) -> Bool {
    state.declared.map { $0.settings != nil && state.isAudited || $0.sentinel != nil } ?? false
  }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for drift in state.declaredDrifts where drift.isKnown {
      if let count = drift.drift.count { verdict.add(Self.settings, Double(count), .text(drift.instance)) }
      if let text = drift.text { verdict.find(.warning, node: drift.instance, text) }
      let reasons = drift.drift.unknowns
      if !reasons.isEmpty { verdict.unknown(.node(drift.instance), reasons.joined(separator: ", ")) }
    }
  }

  func judge(_ server: AuditedServer, into verdict: inout Verdict) {}
}
