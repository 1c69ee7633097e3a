import Runtime

/// What was gathered about an alert, as it is kept. Times are milliseconds since 1970, by the wall clock.
public struct StoredEvidence: Sendable, Equatable {
  /// Of letters and digits; the newest with an id takes the place of the one before.
  public let id: String
  /// Cut at `StoreLimits.nameBytes`, as `node` and `alert` are.
  public let workload: String
  /// The label `instance` of the alert; empty for none.
  public let node: String
  public let alert: String
  /// When the alert became pending.
  public let atMs: Int64
  /// When it began to fire; nil while it does not, and where it never did.
  public let firedAtMs: Int64?
  /// A JSON object with what lists show. One that is longer than `StoreLimits.evidenceHeadBytes` is replaced by its length.
  public let head: String
  /// All of it, deflated. What is longer than `StoreLimits.evidenceBytes` is left out.
  public let body: [UInt8]

  public init(
    id: String, workload: String, node: String, alert: String, atMs: Int64, firedAtMs: Int64?, head: String,
    body: [UInt8]
  ) {
    self.id = id.cut(toBytes: StoreLimits.nameBytes)
    self.workload = workload.cut(toBytes: StoreLimits.nameBytes)
    self.node = node.cut(toBytes: StoreLimits.nameBytes)
    self.alert = alert.cut(toBytes: StoreLimits.nameBytes)
    self.atMs = atMs
    self.firedAtMs = firedAtMs
    let length = head.utf8.count
    self.head = length <= StoreLimits.evidenceHeadBytes ? head : "{\"omitted_bytes\":\"\(length)\"}"
    self.body = body.count <= StoreLimits.evidenceBytes ? body : []
  }
}

/// Which evidence is asked for; every condition that is given must hold.
public struct EvidenceQuery: Sendable {
  public var id: String?
  public var workload: String?
  public var node: String?
  public var alert: String?
  /// Only those whose alert became pending at or after this time, and at or before the other.
  public var sinceMs: Int64?
  public var untilMs: Int64?
  /// Whether ``StoredEvidence/body`` is read, too.
  public var hasBodies = false
  /// At most this many, the newest first; 1 to `StoreLimits.evidence`.
  public var limit: Int

  public init(limit: Int = 100) { self.limit = limit }

  var boundedLimit: Int { min(max(limit, 1), StoreLimits.evidence) }

  func matches(_ record: StoredEvidence) -> Bool {
    (id == nil || id == record.id) && (workload == nil || workload == record.workload)
      && (node == nil || node == record.node) && (alert == nil || alert == record.alert)
      && (sinceMs.map { record.atMs >= $0 } ?? true) && (untilMs.map { record.atMs <= $0 } ?? true)
  }
}

/// Evidence that is not in the file yet, the newest of each id.
struct PendingEvidence: Sendable {
  private var byID: [String: (sequence: UInt64, record: StoredEvidence)] = [:]
  /// Dropped because too much was waiting to be written.
  private(set) var droppedCount = 0

  /// In the order of writing.
  var records: [StoredEvidence] { byID.values.sorted { $0.sequence < $1.sequence }.map(\.record) }
  var isEmpty: Bool { byID.isEmpty }

  mutating func put(_ record: StoredEvidence, sequence: UInt64) {
    byID[record.id] = (sequence, record)
    guard byID.count > StoreLimits.pendingEvidence,
      let oldest = byID.min(by: { $0.value.sequence < $1.value.sequence })?.key
    else { return }
    byID[oldest] = nil
    droppedCount += 1
  }

  mutating func settle(upTo sequence: UInt64) { byID = byID.filter { $0.value.sequence > sequence } }
}

/// The evidence of a store: bounded by count and age. Of too much, what belongs to alerts that never fired goes first.
public struct EvidenceStore: Sendable {
  let store: Store

  /// Keeps evidence, each in place of the one with its id.
  public func put(_ record: StoredEvidence) { store.change { $0.put(record) } }

  /// The newest that match, by the time of their alert, the newest first; also what is not in the file yet.
  public func newest(_ query: EvidenceQuery) async -> [StoredEvidence] { await store.newest(query) }
}
