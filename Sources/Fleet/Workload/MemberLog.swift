import Redis
import Runtime
import Storage

/// Tells what happened to the members from one reading to the next, also where the daemon was away in between. Pure.
struct MemberLog: Sendable {
  private(set) var records: [NodeAddress: MemberRecord]
  /// The members that this life of the daemon has not read yet.
  private var unread: Set<NodeAddress>
  private var seen: [NodeAddress: Monotonic] = [:]
  /// The settings as they were last read in this life of the daemon.
  private var settings: [NodeAddress: ConfigDigest] = [:]
  /// What was changed since it was last taken.
  private var changed: Set<NodeAddress> = []

  /// - Parameter records: what was remembered when the daemon last ran.
  init(_ records: [NodeAddress: MemberRecord] = [:]) {
    self.records = records
    unread = Set(records.keys)
  }

  /// - Parameter now: for the events.
  mutating func note(
    _ readings: [MemberReading], workload: String, instance: (NodeAddress) -> String, at now: WallTime
  ) -> [Event] {
    // The same poll says nothing new.
    let fresh = readings.filter { $0.answers != nil && seen[$0.address] != $0.began }
    return fresh.sorted { $0.address < $1.address }.flatMap { reading -> [Event] in
      guard let answers = reading.answers else { return [] }
      seen[reading.address] = reading.began
      let name = instance(reading.address)
      let before = records[reading.address]
      var record =
        reading.facts.map { MemberRecord($0, instance: name) } ?? before
        ?? MemberRecord(instance: name, answers: answers)
      record.instance = name
      record.answers = answers
      record.policy = record.policy ?? before?.policy
      record.appendFsync = record.appendFsync ?? before?.appendFsync
      record.hasSaveRules = record.hasSaveRules ?? before?.hasSaveRules
      record.settingsFingerprint = record.settingsFingerprint ?? before?.settingsFingerprint
      let oldSettings = settings[reading.address]
      if let config = reading.facts?.config { settings[reading.address] = config }
      if record != before {
        records[reading.address] = record
        changed.insert(reading.address)
      }
      let isFirst = unread.remove(reading.address) != nil
      guard let before else { return [] }
      var found: [(kind: EventKind, summary: String)] = []
      if before.answers, !answers { found.append((.unreachable, "\(name) does not answer")) }
      if !before.answers, answers { found.append((.recovered, "\(name) answers again")) }
      if let facts = reading.facts, before.isKnown {
        found += Self.changes(from: before, to: record, name)
        let keys = oldSettings.flatMap { old in facts.config?.changedKeys(from: old) } ?? []
        if let text = Self.settingText(from: before, to: record, keys) {
          found.append((.configChange, "\(name) has \(text)"))
        }
      }
      return found.map { kind, summary in
        Event(
          at: now, workload: workload, node: name, kind: kind,
          summary: isFirst ? summary + ", found after a restart of redline" : summary,
          details: isFirst ? "{\"found_after_restart\":true}" : "{}")
      }
    }
  }

  /// Forgets members; those that come back are new.
  mutating func forget(_ addresses: some Sequence<NodeAddress>) {
    for address in addresses {
      (seen[address], settings[address]) = (nil, nil)
      unread.remove(address)
      if records.removeValue(forKey: address) != nil { changed.insert(address) }
    }
  }

  /// The records that are others than when this was last called; nil for one that is gone.
  mutating func takeChanges() -> [NodeAddress: MemberRecord?] {
    defer { changed = [] }
    return Dictionary(uniqueKeysWithValues: changed.map { ($0, records[$0]) })
  }

  private static func changes(
    from old: MemberRecord, to new: MemberRecord, _ name: String
  ) -> [(kind: EventKind, summary: String)] {
    var changes: [(kind: EventKind, summary: String)] = []
    let isSameProcess = old.runID == new.runID
    if !isSameProcess { changes.append((.restart, "\(name) is another process than before")) }
    if let before = old.isMaster, let now = new.isMaster, before != now {
      changes.append((.roleChange, "\(name) became \(now ? "master" : "replica")"))
    }
    // A new process counts from 0, and so does an old one after CONFIG RESETSTAT.
    let flushesBefore = isSameProcess && new.flushCount >= old.flushCount ? old.flushCount : 0
    if new.flushCount > flushesBefore {
      changes.append((.flush, "FLUSHALL or FLUSHDB ran on \(name)"))
    }
    return changes
  }

  /// Names that one event lists.
  private static let nameLimit = 12

  /// Which settings have another value; nil for none.
  ///
  /// - Parameter keys: of the settings that CONFIG gives another value, the hashes; empty after a restart of the daemon.
  private static func settingText(from old: MemberRecord, to new: MemberRecord, _ keys: [UInt64]) -> String? {
    let known: [(name: String, isChanged: Bool)] = [
      ("maxmemory", old.maxBytes != new.maxBytes),
      ("maxmemory-policy", isChanged(old.policy, new.policy)),
      ("appendonly", old.isAOFEnabled != new.isAOFEnabled),
      ("appendfsync", isChanged(old.appendFsync, new.appendFsync)),
      ("save", isChanged(old.hasSaveRules, new.hasSaveRules)),
    ]
    let names = Set(known.filter(\.isChanged).map(\.name) + keys.compactMap { SettingNames.name(of: $0) }).sorted()
    if !names.isEmpty {
      let more = names.count > nameLimit ? " and \(names.count - nameLimit) more" : ""
      return "another value of \(names.prefix(nameLimit).joined(separator: ", "))\(more)"
    }
    return isChanged(old.settingsFingerprint, new.settingsFingerprint) ? "other settings than before" : nil
  }

  /// What could not be read has not changed.
  private static func isChanged<Value: Equatable>(_ old: Value?, _ new: Value?) -> Bool {
    old != nil && new != nil && old != new
  }
}
