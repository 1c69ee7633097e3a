import Alerting
import Fleet
import PromQL
import Runtime

extension EvidenceAlert {
  /// - Parameter labels: of an alert, its name among them.
  init(_ labels: Labels) {
    self.init(
      name: labels["alertname"] ?? "",
      labels: Dictionary(labels.pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }))
  }
}

extension EvidenceGatherer {
  /// Takes note of what became of alerts. Never waits.
  nonisolated func note(_ changes: [AlertChange]) {
    for change in changes {
      let alert = EvidenceAlert(change.alert.labels)
      let at = WallTime(epochMs: change.alert.activeAtMilliseconds)
      switch change.kind {
      case .pending: note(alert, pendingAt: at, firedAt: nil)
      case .firing:
        note(alert, pendingAt: at, firedAt: change.alert.firedAtMilliseconds.map { WallTime(epochMs: $0) } ?? at)
      case .ended: end(alert)
      }
    }
  }
}
