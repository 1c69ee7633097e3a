import Runtime

/// What a store holds in memory: every counter, fact and alert, the keys of the events, and what is not in the file yet. A
/// pure value: it knows neither files nor clocks.
///
/// Changes made together inside `Store.change` reach the file together or not at all.
public struct StoreRecords: Sendable {
  struct CountedEvent {
    let event: Event
    /// Counters that were raised with it.
    let counts: [CounterKey: Double]
  }

  /// What one transaction writes. Values are absolute, so that writing a batch twice does no harm.
  struct Batch: Sendable {
    let sequence: UInt64
    let events: [Event]
    /// Events that are there already, with another text.
    let revisions: [Event]
    /// nil removes the counter.
    let counters: [(CounterKey, Counter?)]
    /// nil removes the fact.
    let facts: [(String, Fact?)]
    let alerts: StoredAlerts.Batch
    let notifications: [StoredNotification]
    let jobResults: [JobResult]
    let evidence: [StoredEvidence]
    let checkResults: [StoredCheckResult]
    let marks: [StoredMark]

    var isEmpty: Bool {
      events.isEmpty && revisions.isEmpty && counters.isEmpty && facts.isEmpty && alerts.isEmpty
        && notifications.isEmpty && jobResults.isEmpty && evidence.isEmpty && checkResults.isEmpty
        && marks.isEmpty
    }
  }

  /// What is not in the file yet, with the numbers of its newest changes.
  private struct Changes {
    var counters: [CounterKey: UInt64] = [:]
    var facts: [String: UInt64] = [:]
  }

  public private(set) var counters: [CounterKey: Counter] = [:]
  public private(set) var facts: [String: Fact] = [:]
  var alerts = StoredAlerts()
  /// Changes refused by `StoreLimits`, those of alerts apart.
  private(set) var refusedRecords = 0
  private(set) var events = Pending<CountedEvent>()
  private(set) var notifications = Pending<StoredNotification>()
  private var handed = PendingHanded()
  private(set) var evidence = PendingEvidence()

  var jobResults: Pending<JobResult> { handed.jobResults }
  var checkResults: Pending<StoredCheckResult> { handed.checkResults }
  var marks: Pending<StoredMark> { handed.marks }

  let pendingLimit: Int
  private var eventKeys: Set<String> = []
  /// Ascends with every change; each changed record carries that of its newest change.
  var sequence: UInt64 = 0
  private var changed = Changes()
  private var revisions: [String: (sequence: UInt64, event: Event)] = [:]
  /// Until the file was read for the first time: counters that were only added to, so that what the file has comes on top.
  private var relativeCounters: Set<CounterKey> = []
  private(set) var isAdopted = false

  init(pendingLimit: Int) { self.pendingLimit = pendingLimit }

  var hasChanges: Bool {
    !events.pending.isEmpty || !revisions.isEmpty || !changed.counters.isEmpty || !changed.facts.isEmpty
      || alerts.hasChanges || !notifications.pending.isEmpty || !jobResults.pending.isEmpty || !evidence.isEmpty
      || !checkResults.pending.isEmpty || !marks.pending.isEmpty
  }
}

// MARK: Changes

extension StoreRecords {
  /// Keeps an event, and counts it in the counters given.
  ///
  /// - Returns: false when an event with its key is known, also from before a restart; then nothing changes.
  @discardableResult
  public mutating func append(_ event: Event, counting keys: [CounterKey] = []) -> Bool {
    if let key = event.key {
      guard key.utf8.count <= StoreLimits.keyBytes else {
        refusedRecords += 1
        return false
      }
      guard eventKeys.insert(key).inserted else { return false }
    }
    sequence += 1
    var counts: [CounterKey: Double] = [:]
    for key in keys {
      add(1, to: key, at: event.at)
      counts[key, default: 0] += 1
    }
    events.append([CountedEvent(event: event, counts: counts)], sequence: sequence, limit: pendingLimit)
    return true
  }

  /// Gives the event with the same key another summary and other details; nothing happens where there is none.
  public mutating func revise(_ event: Event) {
    guard let key = event.key, eventKeys.contains(key), revisions[key] != nil || revisions.count < pendingLimit else {
      return
    }
    sequence += 1
    revisions[key] = (sequence, event)
  }

  /// The event as it was last revised, as far as that is not in the file yet.
  func revised(_ event: Event) -> Event { event.key.flatMap { revisions[$0]?.event } ?? event }

  /// Makes a counter that starts at 0, so that its first increase is seen as one; an existing counter stays as it is.
  public mutating func declare(_ key: CounterKey) {
    guard counters[key] == nil, admits(key.description, count: counters.count) else { return }
    note(key, Counter(value: 0, changed: nil))
    if !isAdopted { relativeCounters.insert(key) }
  }

  /// Adds to a counter, which starts at 0.
  ///
  /// - Parameters:
  ///   - delta: finite; 0 only declares the counter.
  ///   - time: when it changed.
  public mutating func add(_ delta: Double, to key: CounterKey, at time: WallTime) {
    declare(key)
    guard delta != 0, let old = counters[key], (old.value + delta).isFinite else { return }
    note(key, Counter(value: old.value + delta, changed: time))
  }

  /// Sets a counter to a finite value. Setting the value that it has changes nothing.
  public mutating func set(_ key: CounterKey, to value: Double, at time: WallTime) {
    guard value.isFinite else { return }
    relativeCounters.remove(key)
    guard let old = counters[key] else {
      guard admits(key.description, count: counters.count) else { return }
      return note(key, Counter(value: value, changed: time))
    }
    if old.value != value { note(key, Counter(value: value, changed: time)) }
  }

  /// Forgets a counter, such as one of a workload that is no longer configured.
  public mutating func remove(_ key: CounterKey) {
    guard counters.removeValue(forKey: key) != nil else { return }
    relativeCounters.remove(key)
    sequence += 1
    changed.counters[key] = sequence
  }

  /// Remembers a fact; nil forgets it.
  public mutating func setFact(_ key: String, to value: String?, at time: WallTime) {
    guard facts[key]?.value != value else { return }
    if let value {
      guard value.utf8.count <= StoreLimits.factBytes, facts[key] != nil || admits(key, count: facts.count) else {
        refusedRecords += value.utf8.count > StoreLimits.factBytes ? 1 : 0
        return
      }
      facts[key] = Fact(value: value, changed: time)
    } else {
      facts[key] = nil
    }
    sequence += 1
    changed.facts[key] = sequence
  }

  private mutating func note(_ key: CounterKey, _ counter: Counter) {
    counters[key] = counter
    sequence += 1
    changed.counters[key] = sequence
  }

  private mutating func admits(_ key: String, count: Int) -> Bool {
    let isAdmitted = count < StoreLimits.records && key.utf8.count <= StoreLimits.keyBytes
    if !isAdmitted { refusedRecords += 1 }
    return isAdmitted
  }
}

// MARK: The file

extension StoreRecords {
  /// Everything that is not in the file yet.
  func batch() -> Batch {
    Batch(
      sequence: sequence, events: events.records.map(\.event), revisions: revisions.values.map(\.event),
      counters: changed.counters.keys.map { ($0, counters[$0]) }, facts: changed.facts.keys.map { ($0, facts[$0]) },
      alerts: alerts.batch(), notifications: notifications.records, jobResults: jobResults.records,
      evidence: evidence.records, checkResults: checkResults.records, marks: marks.records)
  }

  /// The batch is in the file; changes made after it was taken stay to be written.
  mutating func settle(_ batch: Batch, prunedKeys: [String]) {
    events.settle(upTo: batch.sequence)
    revisions = revisions.filter { $0.value.sequence > batch.sequence }
    changed.counters = changed.counters.filter { $0.value > batch.sequence }
    changed.facts = changed.facts.filter { $0.value > batch.sequence }
    alerts.settle(upTo: batch.sequence)
    notifications.settle(upTo: batch.sequence)
    handed.jobResults.settle(upTo: batch.sequence)
    evidence.settle(upTo: batch.sequence)
    handed.checkResults.settle(upTo: batch.sequence)
    handed.marks.settle(upTo: batch.sequence)
    forget(eventKeys: prunedKeys)
  }

  /// The events of these keys are kept no more.
  mutating func forget(eventKeys keys: [String]) { eventKeys.subtract(keys) }

  /// Takes over what the file holds.
  ///
  /// The first time, what happened in memory meanwhile goes on top: counts add up, values that were set stay, and an event
  /// that the file has already is not counted again. Later, memory knows better than any file that appears, and all of it
  /// is to be written.
  mutating func adopt(_ contents: StoreContents) {
    sequence += 1
    alerts.adopt(contents.alerts, isFirst: !isAdopted, sequence: sequence)
    guard !isAdopted else {
      for key in counters.keys { changed.counters[key] = sequence }
      for key in facts.keys { changed.facts[key] = sequence }
      return eventKeys.formUnion(contents.eventKeys)
    }
    isAdopted = true
    for known in events.records where known.event.key.map(contents.eventKeys.contains) ?? false {
      for (key, count) in known.counts where relativeCounters.contains(key) { counters[key]?.value -= count }
    }
    events.removeAll { $0.event.key.map(contents.eventKeys.contains) ?? false }
    for (key, stored) in contents.counters {
      if let mine = counters[key] {
        guard relativeCounters.contains(key) else { continue }
        let isUnchanged = mine.value == 0
        counters[key] = Counter(
          value: stored.value + mine.value,
          changed: isUnchanged ? stored.changed : mine.changed)
      } else if changed.counters[key] == nil {
        counters[key] = stored
      }
    }
    for (key, stored) in contents.facts where changed.facts[key] == nil { facts[key] = stored }
    eventKeys.formUnion(contents.eventKeys)
    relativeCounters = []
  }
}

// MARK: Alerts

extension StoreRecords {
  /// Keeps alerts, each in place of the one with its rule and labels. What is as it was is not written again.
  public mutating func put(_ records: [StoredAlert]) {
    sequence += 1
    for record in records { alerts.put(record, sequence: sequence) }
  }

  /// Forgets an alert.
  public mutating func removeAlert(rule: String, labels: String) {
    sequence += 1
    alerts.remove(StoredAlert.Key(rule: rule, labels: labels), sequence: sequence)
  }

  /// Forgets the alerts of all rules but these, also those of a file that can be read only later.
  public mutating func removeAlerts(ofRulesNotIn rules: Set<String>) {
    sequence += 1
    alerts.removeRules(notIn: rules, sequence: sequence)
  }

  /// Says that it is decided what the alerts of the last run mean: see `AlertStore.settle()`.
  public mutating func settleAlerts() { alerts.settle() }
}

// MARK: What is only appended

/// Records of one kind that are not in the file yet.
struct Pending<Record: Sendable>: Sendable {
  private(set) var pending: [(sequence: UInt64, record: Record)] = []
  /// Dropped because too many were waiting to be written.
  private(set) var droppedCount = 0

  var records: [Record] { pending.map(\.record) }

  fileprivate mutating func append(_ records: [Record], sequence: UInt64, limit: Int) {
    pending += records.map { (sequence, $0) }
    let surplus = pending.count - limit
    guard surplus > 0 else { return }
    droppedCount += surplus
    pending.removeFirst(surplus)
  }

  fileprivate mutating func removeAll(where isUnwanted: (Record) -> Bool) {
    pending.removeAll { isUnwanted($0.record) }
  }

  fileprivate mutating func settle(upTo sequence: UInt64) { pending.removeAll { $0.sequence <= sequence } }
}

/// Results of jobs and of checks, and marks, that are not in the file yet.
private struct PendingHanded: Sendable {
  var jobResults = Pending<JobResult>()
  var checkResults = Pending<StoredCheckResult>()
  var marks = Pending<StoredMark>()
}

extension StoreRecords {
  /// Keeps notifications.
  public mutating func append(_ records: [StoredNotification]) {
    sequence += 1
    notifications.append(records, sequence: sequence, limit: pendingLimit)
  }

  /// Keeps the results of jobs.
  public mutating func append(_ results: [JobResult]) {
    sequence += 1
    handed.jobResults.append(results, sequence: sequence, limit: StoreLimits.pendingJobResults)
  }

  /// Keeps the results of checks.
  public mutating func append(_ results: [StoredCheckResult]) {
    sequence += 1
    handed.checkResults.append(results, sequence: sequence, limit: StoreLimits.pendingCheckResults)
  }

  /// Keeps a mark.
  public mutating func append(_ mark: StoredMark) {
    sequence += 1
    handed.marks.append([mark], sequence: sequence, limit: StoreLimits.pendingMarks)
  }

  /// Keeps evidence in place of what has its id.
  public mutating func put(_ record: StoredEvidence) {
    sequence += 1
    evidence.put(record, sequence: sequence)
  }
}
