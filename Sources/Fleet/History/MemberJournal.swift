import Redis
import Storage

/// Tells what happened to the members from one reading to the next. Pure.
struct MemberJournal: Sendable {
  private struct Known: Sendable {
    var answers: Bool
    var facts: MemberFacts?
  }
  private var known: [NodeAddress: Known] = [:]

  /// - Parameter seconds: wall time, in seconds since the epoch.
  mutating func note(
    _ readings: [MemberReading], workload: String, instance: (NodeAddress) -> String, atSeconds seconds: Double
  ) -> [Event] {
    let present = Set(readings.map(\.address))
    known = known.filter { present.contains($0.key) }
    return readings.sorted { $0.address < $1.address }.flatMap { reading -> [Event] in
      guard let answers = reading.answers else { return [] }
      let before = known[reading.address]
      known[reading.address] = Known(answers: answers, facts: reading.facts ?? before?.facts)
      guard let before else { return [] }
      let name = instance(reading.address)
      func event(_ kind: EventKind, _ summary: String) -> Event {
        Event(atSeconds: seconds, workload: workload, node: name, kind: kind, summary: summary)
      }
      var events: [Event] = []
      if before.answers, !answers { events.append(event(.unreachable, "\(name) does not answer")) }
      if !before.answers, answers { events.append(event(.recovered, "\(name) answers again")) }
      if let old = before.facts, let new = reading.facts {
        events += Self.changes(from: old, to: new, name).map { event($0.kind, $0.summary) }
      }
      return events
    }
  }

  private static func changes(
    from old: MemberFacts, to new: MemberFacts, _ name: String
  ) -> [(kind: EventKind, summary: String)] {
    var changes: [(kind: EventKind, summary: String)] = []
    let isSameProcess = old.server.runID == new.server.runID
    if !isSameProcess { changes.append((.restart, "\(name) is another process than before")) }
    if let before = old.replication?.isMaster, let now = new.replication?.isMaster, before != now {
      changes.append((.roleChange, "\(name) became \(now ? "master" : "replica")"))
    }
    if isSameProcess, new.flushCount > old.flushCount {
      changes.append((.flush, "FLUSHALL or FLUSHDB ran on \(name)"))
    }
    let settings: [(name: String, isChanged: Bool)] = [
      ("maxmemory", old.memory.maxBytes != new.memory.maxBytes),
      ("maxmemory-policy", old.memory.policy != new.memory.policy),
      ("appendonly", old.persistence.isAOFEnabled != new.persistence.isAOFEnabled),
      ("appendfsync", isChanged(old.persistence.appendFsync, new.persistence.appendFsync)),
      ("save", isChanged(old.persistence.hasSaveRules, new.persistence.hasSaveRules)),
    ]
    let changed = settings.filter(\.isChanged).map(\.name)
    if !changed.isEmpty {
      changes.append((.configChange, "\(name) has another value of \(changed.joined(separator: ", "))"))
    }
    return changes
  }

  /// What CONFIG could not be read for has not changed.
  private static func isChanged<Value: Equatable>(_ old: Value?, _ new: Value?) -> Bool {
    old != nil && new != nil && old != new
  }
}
