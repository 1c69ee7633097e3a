import Runtime
import Storage

/// Tells when a server begins to differ from its declared file, differs in something else, and no longer does. Pure.
struct DeclaredDriftLog: Sendable {
  private struct Standing: Equatable {
    /// Settings that differ, with what is declared and what runs.
    var differing: [String]
    var unknown: Set<String>
  }

  /// Servers that are remembered, those that are gone among them.
  private static let limit = 20_000

  private var told: [String: Standing] = [:]

  /// What is known of a server for the first time is how it stood before, and no news. While less of it can be seen than
  /// before, what was told stays.
  mutating func note(_ drifts: [ServerDrift], workload: String, at now: WallTime) -> [Event] {
    var events: [Event] = []
    for drift in drifts where drift.drift.count != nil {
      let unknown = drift.drift.settings.filter { if case .unknown = $0.verdict { true } else { false } }
      let standing = Standing(
        differing: drift.drift.differing.map { "\($0.name) \($0.declared ?? "") \($0.running ?? "")" },
        unknown: Set(unknown.map(\.name)))
      guard let before = told[drift.instance] else {
        if told.count < Self.limit { told[drift.instance] = standing }
        continue
      }
      guard standing.unknown.isSubset(of: before.unknown) else { continue }
      told[drift.instance] = standing
      guard before.differing != standing.differing else { continue }
      let text = drift.text ?? "runs again with what \(ConfPlace.name(of: drift.file)) declares"
      events.append(
        Event(
          at: now, workload: workload, node: drift.instance, kind: .configChange, summary: "\(drift.instance) \(text)"))
    }
    return events
  }
}
