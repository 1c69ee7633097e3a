import Config
import Metrics
import Redis
import Runtime

/// What looks over a workload's servers brought, and what was there from the first. Pure.
struct AuditTracker: Sendable {
  /// What outlives the process, of one server.
  struct Record: Sendable, Equatable {
    /// When it was looked over for the first time.
    var since: WallTime
    /// By check, hashes of what was found at the first look.
    var found: [String: Set<UInt64>] = [:]
    /// By the hash of a user's name: the day, counted from 1970, on which it was connected last.
    var seen: [UInt64: Int] = [:]
  }

  private(set) var readings: [NodeAddress: Shared<AuditReading>] = [:]
  /// Whether a look was tried, answered or not.
  private(set) var hasBegun = false
  /// When each was asked last, whether it answered or not.
  private var asked: [NodeAddress: WallTime] = [:]
  /// By instance.
  private(set) var records: [String: Record]

  /// Between two looks at a server that could not be looked over.
  private static let retrySeconds = 60.0
  private static let secondsPerDay = 86_400.0

  /// What the checks of the audit said last, and when, of whom.
  private var judged: (verdict: AuditVerdict, at: Monotonic, up: [NodeAddress])?
  /// Looks are rare, and all that changes between them is the age of things.
  private static let judgedSeconds = 60.0
  /// From when on the workload is watched.
  let began: Monotonic

  init(_ records: [String: Record] = [:], began: Monotonic = .distantPast) {
    (self.records, self.began) = (records, began)
  }

  var baseline: AuditBaseline { AuditBaseline(records) }

  /// - Parameters:
  ///   - settings: what would be asked for; a look that did not is due again.
  ///   - commands: the same of commands.
  func isDue(
    _ address: NodeAddress, every seconds: Double, asking settings: Set<String> = [], _ commands: Set<String> = [],
    at now: WallTime
  ) -> Bool {
    if let last = asked[address], now - last < min(seconds, Self.retrySeconds), now >= last { return false }
    guard let reading = readings[address] else { return true }
    if !settings.isSubset(of: reading.askedSettings) { return true }
    if let known = reading.commands.value, commands.contains(where: { known[$0] == nil }) { return true }
    // The clock may be set back.
    return now - reading.at >= seconds || now < reading.at
  }

  mutating func noteAsked(_ addresses: [NodeAddress], at now: WallTime) {
    hasBegun = true
    for address in addresses { asked[address] = now }
  }

  /// Takes in a look, with what is known of its users from before.
  mutating func take(_ reading: AuditReading, of address: NodeAddress, instance: String) {
    hasBegun = true
    var reading = reading
    var record = records[instance] ?? Record(since: reading.at)
    let today = Int(clamping: reading.at.seconds / Self.secondsPerDay)
    if let clients = reading.clients.value {
      for client in clients where !client.user.isEmpty && !client.isOwn { record.seen[fnvHash(client.user)] = today }
    }
    if let users = reading.users.value {
      let names = Dictionary(users.map { (fnvHash($0.name), $0.name) }) { first, _ in first }
      record.seen = record.seen.filter { names[$0.key] != nil }
      for (hash, day) in record.seen {
        if let name = names[hash] {
          reading.record.lastSeen[name] = WallTime(seconds: Double(day) * Self.secondsPerDay)
        }
      }
    }
    reading.record.watchedSince = record.since
    judged = nil
    records[instance] = record
    readings[address] = Shared(reading)
  }

  /// What the checks of the audit say, as it was found up to a minute ago by the same looks.
  mutating func verdict(of state: WorkloadState) -> AuditVerdict {
    let up = state.up.map(\.member.address)
    if let judged, judged.up == up, state.now - judged.at < Self.judgedSeconds { return judged.verdict }
    let verdict = AuditVerdict(state)
    judged = (verdict, state.now, up)
    return verdict
  }

  /// Takes in what the checks find at servers that were looked over just now.
  mutating func note(_ verdict: Verdict, of instances: [String]) {
    let blind = Set(
      (verdict.unknowns.map { ($0.subject, $0.check) }
        + verdict.asides.filter { $0.answer == .notCompared }.map { ($0.subject, $0.check) })
        .compactMap { subject, check in subject.instance.map { AuditBaseline.Place(instance: $0, check: check) } })
    let found = baseline.found(
      after: verdict.findings, of: instances, checks: CheckCatalogue.audit, blind: blind)
    for (instance, found) in found { records[instance]?.found = found }
    judged = nil
  }

  /// Forgets the servers that are members no more.
  mutating func forget(allBut members: [NodeAddress: String]) {
    readings = readings.filter { members[$0.key] != nil }
    asked = asked.filter { members[$0.key] != nil }
    let names = Set(members.values)
    records = records.filter { names.contains($0.key) }
  }
}

/// What the checks of the audit say of a workload.
struct AuditVerdict: Sendable {
  let findings: [Finding]
  let unknowns: [Blindness]
  let asides: [Aside]
  let samples: Samples

  init(_ state: WorkloadState) {
    let verdict = Verdict(CheckCatalogue.audit, of: state)
    (findings, unknowns, asides) = (verdict.findings, verdict.unknowns, verdict.asides)
    samples = verdict.samples(constantLabels: state.config.seriesLabels)
  }
}

extension AuditTracker.Record {
  /// A line each: when it began, what was found, who was connected when.
  var text: String {
    (["since \(since.epochMs)"]
      + found.sorted { $0.key < $1.key }.map { check, hashes in
        (["found", check] + hashes.sorted().map { String($0, radix: 36) }).joined(separator: " ")
      }
      + seen.sorted { $0.key < $1.key }.map { "user \(String($0, radix: 36)) \($1)" }).joined(separator: "\n")
  }

  /// nil for anything else than ``text`` gives.
  init?(_ text: String) {
    var since: WallTime?
    var (found, seen): ([String: Set<UInt64>], [UInt64: Int]) = ([:], [:])
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      switch words.first {
      case "since" where words.count == 2: since = Int64(words[1]).map { WallTime(epochMs: $0) }
      case "found" where words.count >= 2:
        found[String(words[1])] = Set(words.dropFirst(2).compactMap { UInt64($0, radix: 36) })
      case "user" where words.count == 3:
        if let hash = UInt64(words[1], radix: 36), let day = Int(words[2]) { seen[hash] = day }
      default: return nil
      }
    }
    guard let since else { return nil }
    self.init(since: since, found: found, seen: seen)
  }
}

/// What was found when each server was looked over for the first time: it is shown and alerts nobody.
struct AuditBaseline: Sendable, Equatable {
  /// By instance. A check that has judged no server is in none.
  private let records: [String: AuditTracker.Record]

  init(_ records: [String: AuditTracker.Record]) { self.records = records }

  private static func hash(_ finding: Finding) -> UInt64 { fnvHash("\(finding.severity.rawValue) \(finding.key)") }

  func contains(_ finding: Finding) -> Bool {
    guard let instance = finding.subject.instance else { return false }
    return records[instance]?.found[finding.check]?.contains(Self.hash(finding)) ?? false
  }

  /// What a check finds at a server the first time that it can judge there is the baseline; what is not found any more is
  /// forgotten.
  ///
  /// - Parameters:
  ///   - instances: servers that were looked over just now.
  ///   - blind: checks that could not judge.
  /// - Returns: by instance, what ``AuditTracker/Record/found`` is from now on.
  func found(
    after findings: [Finding], of instances: [String], checks: [any AuditCheck], blind: Set<Place>
  ) -> [String: [String: Set<UInt64>]] {
    let byPlace = Dictionary(grouping: findings) { Place(instance: $0.subject.instance ?? "", check: $0.check) }
    var found: [String: [String: Set<UInt64>]] = [:]
    for instance in instances {
      var own = records[instance]?.found ?? [:]
      for check in checks where !blind.contains(Place(instance: instance, check: check.id)) {
        let now = Set((byPlace[Place(instance: instance, check: check.id)] ?? []).map(Self.hash))
        own[check.id] = own[check.id].map { $0.intersection(now) } ?? (check.alertsAtOnce ? [] : now)
      }
      found[instance] = own
    }
    return found
  }

  struct Place: Hashable {
    let instance: String
    let check: String
  }
}
