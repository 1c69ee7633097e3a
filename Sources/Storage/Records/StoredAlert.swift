/// The state of one alert as it must outlive the process. Times are milliseconds since 1970, by the wall clock.
public struct StoredAlert: Sendable, Equatable {
  struct Key: Hashable, Sendable {
    let rule: String
    let labels: String
  }

  /// Names the rule, in words of the caller's choice; with `labels` it is the identity. At most `StoreLimits.keyBytes`.
  public let rule: String
  /// A JSON object, written the same way each time. At most `StoreLimits.labelsBytes`.
  public let labels: String
  /// A JSON object of texts. One that is longer than `StoreLimits.annotationsBytes` is replaced by its length.
  public let annotations: String
  /// At most `StoreLimits.nameBytes`.
  public var state: String
  public var activeAtMs: Int64
  public var firedAtMs: Int64?
  public var resolvedAtMs: Int64?
  public var keepFiringSinceMs: Int64?
  public var lastSentAtMs: Int64?
  /// Of `value`: a NaN equals itself here, and 0 differs from -0.
  private(set) var valueBits: UInt64

  /// What the expression last gave, kept to the bit; it may be NaN or infinite.
  public var value: Double {
    get { Double(bitPattern: valueBits) }
    set { valueBits = newValue.bitPattern }
  }

  public init(
    rule: String, labels: String, annotations: String = "{}", value: Double, state: String, activeAtMs: Int64,
    firedAtMs: Int64? = nil, resolvedAtMs: Int64? = nil, keepFiringSinceMs: Int64? = nil, lastSentAtMs: Int64? = nil
  ) {
    self.rule = rule
    self.labels = labels
    let length = annotations.utf8.count
    self.annotations = length <= StoreLimits.annotationsBytes ? annotations : "{\"omitted_bytes\":\"\(length)\"}"
    valueBits = value.bitPattern
    self.state = state
    self.activeAtMs = activeAtMs
    self.firedAtMs = firedAtMs
    self.resolvedAtMs = resolvedAtMs
    self.keepFiringSinceMs = keepFiringSinceMs
    self.lastSentAtMs = lastSentAtMs
  }

  var key: Key { Key(rule: rule, labels: labels) }

  var isWithinLimits: Bool {
    rule.utf8.count <= StoreLimits.keyBytes && labels.utf8.count <= StoreLimits.labelsBytes
      && state.utf8.count <= StoreLimits.nameBytes
  }
}

/// The alerts of a records, and which of them are not in the file yet. A pure value.
struct StoredAlerts: Sendable {
  private(set) var records: [StoredAlert.Key: StoredAlert] = [:]
  /// Alerts refused by `StoreLimits`.
  private(set) var refusedRecords = 0
  /// The number of the newest change of each; also of those removed.
  private var changed: [StoredAlert.Key: UInt64] = [:]
  /// Set when all alerts of the file must make way for those of memory: the number of the change that asked for it.
  private var replaced: UInt64?
  /// nil until it was said which rules there are.
  private var rules: Set<String>?
  /// Whether it is decided what the alerts of the last run mean.
  private var isSettled = false

  /// What one transaction writes: alerts of the file that are removed, or all, then those written.
  struct Batch: Sendable {
    var removesAll = false
    var removed: [StoredAlert.Key] = []
    var written: [StoredAlert] = []

    var isEmpty: Bool { !removesAll && removed.isEmpty && written.isEmpty }
  }

  var hasChanges: Bool { !changed.isEmpty || replaced != nil }

  mutating func put(_ record: StoredAlert, sequence: UInt64) {
    let key = record.key
    guard let old = records[key] else {
      guard record.isWithinLimits, records.count < StoreLimits.alerts else {
        refusedRecords += 1
        return
      }
      return note(record, sequence)
    }
    guard record.isWithinLimits else {
      refusedRecords += 1
      return
    }
    if old != record { note(record, sequence) }
  }

  mutating func remove(_ key: StoredAlert.Key, sequence: UInt64) {
    guard records.removeValue(forKey: key) != nil else { return }
    changed[key] = sequence
    // Alerts that come and go while the file cannot be written: none of its own can matter any more.
    guard changed.count > 2 * StoreLimits.alerts else { return }
    changed = changed.filter { records[$0.key] != nil }
    replaced = sequence
    isSettled = true
  }

  mutating func removeRules(notIn rules: Set<String>, sequence: UInt64) {
    self.rules = rules
    for key in records.keys where !rules.contains(key.rule) { remove(key, sequence: sequence) }
  }

  mutating func settle() { isSettled = true }

  private mutating func note(_ record: StoredAlert, _ sequence: UInt64) {
    records[record.key] = record
    changed[record.key] = sequence
  }

  // MARK: The file

  /// Everything that is not in the file yet.
  func batch() -> Batch {
    guard replaced == nil else { return Batch(removesAll: true, written: Array(records.values)) }
    var batch = Batch()
    for key in changed.keys {
      if let record = records[key] { batch.written.append(record) } else { batch.removed.append(key) }
    }
    return batch
  }

  /// What was changed up to this number is in the file.
  mutating func settle(upTo sequence: UInt64) {
    changed = changed.filter { $0.value > sequence }
    if let replaced, replaced <= sequence { self.replaced = nil }
  }

  /// Takes over what a file holds.
  ///
  /// What memory has or removed stays as it is. Alerts that it never heard of come in until their meaning is decided;
  /// after that they are removed from the file, so that no later start takes an episode for one that goes on.
  mutating func adopt(_ stored: [StoredAlert], isFirst: Bool, sequence: UInt64) {
    if !isFirst { replaced = sequence }
    for record in stored where records[record.key] == nil && changed[record.key] == nil {
      let isWanted = !isSettled && rules?.contains(record.rule) ?? true
      if isWanted, record.isWithinLimits, records.count < StoreLimits.alerts {
        records[record.key] = record
      } else {
        replaced = sequence
      }
    }
  }
}
