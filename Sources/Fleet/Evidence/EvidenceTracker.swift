import Runtime

/// An alert that began to wait or to fire.
public struct EvidenceAlert: Sendable, Equatable {
  public let name: String
  /// All of its labels.
  public let labels: [String: String]

  public init(name: String, labels: [String: String]) {
    self.name = name
    self.labels = labels
  }

  /// Nil for an alert of no workload: there is nobody to ask.
  var workload: String? { labels["workload"].flatMap { $0.isEmpty ? nil : $0 } }
  /// The server that it is about.
  var instance: String? { (labels["instance"] ?? labels["sentinel"]).flatMap { $0.isEmpty ? nil : $0 } }
  var severity: String { labels["severity"] ?? "" }

  /// Tells its label set from others of the same rule.
  var labelsHash: String {
    let text = labels.filter { $0.key != "alertname" }.sorted { $0.key < $1.key }
      .map { "\($0.key)\u{1}\($0.value)" }.joined(separator: "\u{2}")
    return String(FNV1a.hash(text.utf8), radix: 36)
  }
  var subject: Evidence.Subject { Evidence.Subject(alert: name, labelsHash: labelsHash) }
}

/// Which looks are due for which alerts: in the long run one for each workload and minute, which all its alerts of that minute
/// share. Pure.
///
/// What is news (an alert that fires, another alert, one that begins again) does not wait for the minute to end, since its
/// cause would be gone by then: so many looks a minute are allowed for that.
struct EvidenceTracker: Sendable {
  /// A look that is to be taken now.
  struct Order: Sendable, Equatable {
    let id: String
    let workload: String
    let moment: Evidence.Moment
    /// When the alert became pending.
    let at: WallTime
    /// Alerts whose runbooks say what is gathered.
    let alerts: [String]
    /// The servers that they are about.
    let instances: [String]
  }

  private struct Open: Sendable {
    var evidence: Evidence
    var instances: [String]
    /// Looks to come, in any order.
    var wanted: [Wanted]
    var isUnderWay = false
    /// How servers stood at the last look.
    var facts: [String: NodeFacts] = [:]
    /// When the last of its alerts ended; nil while any goes on.
    var ended: WallTime?
    /// Its alerts that go on.
    var active: Set<Evidence.Subject>
  }

  private struct Wanted: Sendable {
    let moment: Evidence.Moment
    let due: WallTime
    var isNews = true
  }

  /// Between two looks at a workload.
  static let paceSeconds = 60.0
  /// The same where there is news, for alerts that come together.
  static let newsPaceSeconds = 2.0
  /// Looks at a workload within a minute.
  static let looksPerMinute = 3
  /// From when an alert began to fire to the last look.
  static let laterSeconds = 300.0
  /// How long an alert that is over still leads to its evidence.
  private static let lingerSeconds = 900.0
  /// Evidence that is not complete yet.
  private static let openLimit = 500

  private var open: [String: Open] = [:]
  private var bySubject: [Evidence.Subject: String] = [:]
  /// The looks of the last minute, in their order.
  private var recent: [String: [WallTime]] = [:]
  /// Alerts that nothing was gathered for because too many were open.
  private(set) var omittedCount = 0

  /// Takes up evidence of the last run, so that its alerts still lead to it.
  mutating func restore(_ kept: [Evidence], at now: WallTime) {
    for evidence in kept where open[evidence.id] == nil && open.count < Self.openLimit {
      for subject in evidence.subjects where bySubject[subject] == nil { bySubject[subject] = evidence.id }
      var wanted: [Wanted] = []
      if let fired = evidence.firedAtMs.map({ WallTime(epochMs: $0) }), now - fired < Self.laterSeconds {
        wanted = [Self.later(fired)]
      }
      open[evidence.id] = Open(
        evidence: evidence, instances: [evidence.node].compactMap { $0 }, wanted: wanted,
        ended: now, active: [])
    }
  }

  /// Takes note that an alert waits, or fires.
  ///
  /// - Parameters:
  ///   - at: when it became pending.
  ///   - fired: when it began to fire; nil where it waits.
  /// - Returns: its evidence, where some is kept already and says something else now.
  mutating func note(
    _ alert: EvidenceAlert, pendingAt at: WallTime, firedAt fired: WallTime?, now: WallTime
  ) -> Evidence? {
    let before = id(of: alert).flatMap { open[$0]?.evidence }
    take(alert, pendingAt: at, firedAt: fired, now: now)
    guard let after = id(of: alert).flatMap({ open[$0]?.evidence }), !after.looks.isEmpty else { return nil }
    return before?.subjects == after.subjects && before?.firedAtMs == after.firedAtMs ? nil : after
  }

  private mutating func take(
    _ alert: EvidenceAlert, pendingAt at: WallTime, firedAt fired: WallTime?, now: WallTime
  ) {
    guard let workload = alert.workload, alert.severity != "none" else { return }
    let subject = alert.subject
    if let id = bySubject[subject], open[id]?.active.contains(subject) == true {
      if let fired { noteFiring(id, at: fired) }
      return
    }
    if let id = open.first(where: {
      $1.evidence.workload == workload && abs(at - WallTime(epochMs: $1.evidence.atMs)) < Self.paceSeconds
    })?.key {
      join(alert, id, now: now)
      if let fired { noteFiring(id, at: fired) }
      return
    }
    guard open.count < Self.openLimit else {
      omittedCount += 1
      return
    }
    let id = String(
      FNV1a.hash("\(workload)\n\(alert.name)\n\(subject.labelsHash)\n\(at.epochMs)".utf8), radix: 36)
    let evidence = Evidence(
      id: id, alert: alert.name, subjects: [subject], severity: alert.severity, workload: workload,
      node: alert.instance,
      atMs: at.epochMs, firedAtMs: fired?.epochMs)
    open[id] = Open(
      evidence: evidence, instances: [alert.instance].compactMap { $0 },
      wanted: [Wanted(moment: fired == nil ? .pending : .firing, due: now)] + (fired.map { [Self.later($0)] } ?? []),
      active: [subject])
    bySubject[subject] = id
  }

  /// The first that fires of those that share a record.
  private mutating func noteFiring(_ id: String, at fired: WallTime) {
    guard open[id]?.evidence.firedAtMs == nil else { return }
    open[id]?.evidence.firedAtMs = fired.epochMs
    open[id]?.wanted += [Wanted(moment: .firing, due: fired), Self.later(fired)]
  }

  private static func later(_ fired: WallTime) -> Wanted {
    Wanted(moment: .later, due: fired + laterSeconds, isNews: false)
  }

  private mutating func join(_ alert: EvidenceAlert, _ id: String, now: WallTime) {
    guard var record = open[id] else { return }
    let subject = alert.subject
    // One that was over has begun again.
    var isNews = record.evidence.subjects.contains(subject)
    bySubject[subject] = id
    record.active.insert(subject)
    record.ended = nil
    if !isNews, record.evidence.subjects.count < Evidence.subjectLimit {
      // What its runbook asks for may not have been looked at.
      isNews = !record.evidence.alerts.contains(alert.name)
      record.evidence.subjects.append(subject)
      if let instance = alert.instance, !record.instances.contains(instance), record.instances.count < 16 {
        record.instances.append(instance)
        isNews = true
      }
    }
    if isNews { record.wanted.append(Wanted(moment: record.evidence.firedAtMs == nil ? .pending : .firing, due: now)) }
    if alert.severity == "critical" { record.evidence.severity = alert.severity }
    open[id] = record
  }

  /// Takes note that an alert is over, or did not begin to fire in the end.
  mutating func end(_ alert: EvidenceAlert, at now: WallTime) {
    let subject = alert.subject
    guard let id = bySubject[subject] else { return }
    open[id]?.active.remove(subject)
    if open[id]?.active.isEmpty == true { open[id]?.ended = now }
  }

  /// The looks that may begin now; they count as begun.
  mutating func takeDue(at now: WallTime) -> [Order] {
    forget(at: now)
    var orders: [Order] = []
    for (id, record) in open.sorted(by: { $0.value.evidence.atMs < $1.value.evidence.atMs }) where !record.isUnderWay {
      let workload = record.evidence.workload
      guard let next = turn(of: record), next <= now else { continue }
      // Those that are due by now are one look, the latest of them.
      let due = record.wanted.filter { $0.due <= now }.sorted { $0.due < $1.due }
      open[id]?.wanted.removeAll { $0.due <= now }
      open[id]?.isUnderWay = true
      recent[workload, default: []].append(now)
      orders.append(
        Order(
          id: id, workload: workload, moment: due.last?.moment ?? .pending,
          at: WallTime(epochMs: record.evidence.atMs),
          alerts: record.evidence.alerts, instances: record.instances))
    }
    return orders
  }

  /// When the next look is due, so far as is known now.
  func next(after now: WallTime) -> WallTime? {
    open.values.lazy.filter { !$0.isUnderWay }.compactMap { turn(of: $0) }.min()
  }

  /// When a record may be looked at next; nil where no look is wanted.
  private func turn(of record: Open) -> WallTime? {
    let looks = recent[record.evidence.workload] ?? []
    return record.wanted.map { wanted in
      guard let last = looks.last else { return wanted.due }
      let isFree = wanted.isNews && looks.count < Self.looksPerMinute
      let first = looks.count < Self.looksPerMinute ? last : looks[looks.count - Self.looksPerMinute]
      return max(wanted.due, isFree ? last + Self.newsPaceSeconds : (wanted.isNews ? first : last) + Self.paceSeconds)
    }.min()
  }

  /// How servers stood at the last look.
  func earlier(_ id: String) -> [String: NodeFacts] { open[id]?.facts ?? [:] }

  /// Takes in a look, or more of the newest one.
  ///
  /// - Returns: all that is known now; nil where nobody knows the evidence any more.
  mutating func take(
    _ look: Evidence.Look, _ facts: [NodeFacts], _ culprits: [Evidence.Culprit], of id: String
  ) -> Evidence? {
    guard var record = open[id] else { return nil }
    if record.evidence.looks.last?.atMs == look.atMs { record.evidence.looks.removeLast() }
    record.evidence.looks.append(look)
    record.evidence.take(culprits)
    for fact in facts where fact.silence == nil { record.facts[fact.instance] = fact }
    open[id] = record
    return record.evidence
  }

  mutating func finish(_ id: String) { open[id]?.isUnderWay = false }

  /// The evidence of an alert that waits or fires, or did so a while ago.
  func id(of alert: EvidenceAlert) -> String? { bySubject[alert.subject] }

  /// The same evidence as it is now.
  func newest(_ evidence: Evidence) -> Evidence { open[evidence.id]?.evidence ?? evidence }

  /// What is not complete yet, or was so a while ago.
  var current: [Evidence] { open.values.map(\.evidence) }

  private mutating func forget(at now: WallTime) {
    let over = open.filter { _, record in
      !record.isUnderWay && record.wanted.allSatisfy({ $0.moment != .later })
        && (record.ended.map { now - $0 > Self.lingerSeconds || now < $0 } ?? false)
    }
    for (id, record) in over {
      open[id] = nil
      for subject in record.evidence.subjects where bySubject[subject] == id { bySubject[subject] = nil }
    }
    // The clock may have been put back.
    recent = recent.mapValues { $0.filter { (0..<Self.paceSeconds).contains(now - $0) } }.filter { !$0.value.isEmpty }
  }
}
