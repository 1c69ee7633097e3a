import Config
import Metrics
import Redis
import Runtime

/// Members run different versions.
struct VersionSkew: Check {
  let id = "version-skew"
  let group = CheckGroup.posture
  private static let versions = Family.gauge(
    "workload_versions", "Different server versions among the members that are up.")
  var families: [Family] { [Self.versions] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    if state.isPolled {
      verdict.add(
        Self.versions, Double(Set(state.up.map { $0.facts.server.valkeyVersion ?? $0.facts.server.version }).count))
    }
    if let text = state.drift.versionText { verdict.find(.warning, text) }
  }
}

/// Settings differ between members although nothing in their place calls for it.
struct SettingsDrift: Check {
  let id = "settings-drift"
  let group = CheckGroup.posture
  private static let settings = Family.gauge(
    "workload_drifted_settings",
    "Settings of CONFIG that differ between members and should be the same.")
  var families: [Family] { [Self.settings] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.config.topology != .static, !state.up.isEmpty else { return }
    guard let count = state.drift.settingCount else { return verdict.unknown("+config|get") }
    verdict.add(Self.settings, Double(count))
    if let text = state.drift.settingText { verdict.find(.warning, text) }
  }
}
