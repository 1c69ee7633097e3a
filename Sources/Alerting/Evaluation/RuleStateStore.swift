import Config
import PromQL
import Runtime
import Storage

/// Alerts as they are kept across restarts: one row for each alert of each rule.
///
/// A row is written when anything of it but its value and annotations has changed, and is in the file before the change is
/// sent.
struct RuleStateStore: Sendable {
  let store: Store

  /// A rule as the file knows it: by group, name and labels, not by its place or the file's, so that a rule may move.
  static func key(of rule: Rule, in group: RuleGroup, ordinal: Int) -> String {
    let labels = rule.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    return "\(group.name)/\(rule.name){\(labels)}#\(ordinal)"
  }

  /// The keys of a group's rules; of several alike, each has a number of its own.
  static func keys(of group: RuleGroup) -> [String] {
    var counts: [String: Int] = [:]
    return group.rules.map { rule in
      let key = key(of: rule, in: group, ordinal: 0)
      defer { counts[key, default: 0] += 1 }
      return self.key(of: rule, in: group, ordinal: counts[key] ?? 0)
    }
  }

  /// What is kept, by rule.
  func alerts() -> [String: [Alert]] {
    Dictionary(grouping: store.alerts.all(), by: \.rule).mapValues { $0.compactMap(Self.alert) }
  }

  /// Keeps what has changed between two states of a rule, and in the same transaction the events about it.
  ///
  /// - Returns: whether there was anything to keep.
  func keep(_ now: [Alert], instead before: [Alert], of rule: String, events: [Event]) -> Bool {
    let old = Dictionary(uniqueKeysWithValues: before.map { ($0.labels, $0) })
    let current = Set(now.map(\.labels))
    let changed = now.filter { alert in old[alert.labels].map { !alert.isKept(as: $0) } ?? true }
    let gone = before.filter { !current.contains($0.labels) }
    guard !changed.isEmpty || !gone.isEmpty else { return false }
    store.change { records in
      records.put(changed.map { Self.record($0, of: rule) })
      for alert in gone { records.removeAlert(rule: rule, labels: alert.labels.json) }
      for event in events { records.append(event) }
    }
    return true
  }

  /// Whether `alerts()` has those of the last run: not while the file could not be read since the start.
  var isRestored: Bool { store.alerts.isRestored }

  /// Says that what the last run left has been taken up, or is too old for that: see `AlertStore.settle()`.
  func settle() { store.alerts.settle() }

  /// Drops what is kept of rules that are no more.
  func forget(allBut rules: Set<String>) {
    store.change { $0.removeAlerts(ofRulesNotIn: rules) }
  }

  private static func record(_ alert: Alert, of rule: String) -> StoredAlert {
    StoredAlert(
      rule: rule, labels: alert.labels.json, annotations: JSONWriter.text { $0.texts(alert.annotations) },
      value: alert.value, state: alert.state.rawValue, activeAtMs: alert.activeAtMilliseconds,
      firedAtMs: alert.firedAtMilliseconds, resolvedAtMs: alert.resolvedAtMilliseconds,
      keepFiringSinceMs: alert.keepFiringSinceMilliseconds, lastSentAtMs: alert.lastSentAtMilliseconds)
  }

  /// Nil for a row that makes no sense: it is left alone.
  private static func alert(_ record: StoredAlert) -> Alert? {
    guard let labels = Labels(json: record.labels),
      let annotations = try? JSONReader.texts(Array(record.annotations.utf8)),
      let state = AlertState(rawValue: record.state)
    else { return nil }
    return Alert(
      labels: labels, annotations: annotations, value: record.value, state: state,
      activeAtMilliseconds: record.activeAtMs, firedAtMilliseconds: record.firedAtMs,
      resolvedAtMilliseconds: record.resolvedAtMs, keepFiringSinceMilliseconds: record.keepFiringSinceMs,
      lastSentAtMilliseconds: record.lastSentAtMs)
  }

  // MARK: The clock

  private static let bootFact = "alert_clock.boot_id"
  private static let offsetFact = "alert_clock.offset_ms"

  /// By how much the wall clock was set since the alerts were kept, in this same boot; 0 across boots, where only the
  /// wall clock can tell how long it was.
  func clockShiftMilliseconds(offset: Int64) -> Int64 {
    store.change { records in
      guard let boot = bootIdentity(), records.facts[Self.bootFact]?.value == boot,
        let before = records.facts[Self.offsetFact].flatMap({ Int64($0.value) }),
        (offset - before).magnitude >= EvaluationClock.jumpMilliseconds.magnitude
      else { return 0 }
      return offset - before
    }
  }

  func keepClock(offset: Int64) {
    let now = WallTime.now
    store.change { records in
      records.setFact(Self.bootFact, to: bootIdentity() ?? "", at: now)
      records.setFact(Self.offsetFact, to: "\(offset)", at: now)
    }
  }
}

extension Alert {
  /// Whether a row that was written for `other` still tells everything that a restart needs.
  fileprivate func isKept(as other: Alert) -> Bool {
    state == other.state && activeAtMilliseconds == other.activeAtMilliseconds
      && firedAtMilliseconds == other.firedAtMilliseconds && resolvedAtMilliseconds == other.resolvedAtMilliseconds
      && keepFiringSinceMilliseconds == other.keepFiringSinceMilliseconds
      && lastSentAtMilliseconds == other.lastSentAtMilliseconds
  }
}
