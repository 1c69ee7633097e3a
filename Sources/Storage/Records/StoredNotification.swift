import Runtime

/// One alert that was sent to an Alertmanager, or should have been. Times are milliseconds since 1970, by the wall clock.
public struct StoredNotification: Sendable, Equatable {
  /// Ascending in the order of writing, from 1; 0 while it is not written yet.
  public internal(set) var id: Int64 = 0
  public let atMs: Int64
  /// Cut at `StoreLimits.nameBytes`, as `state` and `alertmanager` are.
  public let alertname: String
  /// A JSON object. One that is longer than `StoreLimits.labelsBytes` is replaced by its length.
  public let labels: String
  /// Such as `firing` and `resolved`.
  public let state: String
  public let startsAtMs: Int64
  public let endsAtMs: Int64?
  /// Where it was sent, without any password.
  public let alertmanager: String
  /// What became of it, in words for people; cut at `StoreLimits.summaryBytes`.
  public let outcome: String

  public init(
    atMs: Int64, alertname: String, labels: String, state: String, startsAtMs: Int64, endsAtMs: Int64? = nil,
    alertmanager: String, outcome: String
  ) {
    self.atMs = atMs
    self.alertname = alertname.cut(toBytes: StoreLimits.nameBytes)
    let length = labels.utf8.count
    self.labels = length <= StoreLimits.labelsBytes ? labels : "{\"omitted_bytes\":\"\(length)\"}"
    self.state = state.cut(toBytes: StoreLimits.nameBytes)
    self.startsAtMs = startsAtMs
    self.endsAtMs = endsAtMs
    self.alertmanager = alertmanager.cut(toBytes: StoreLimits.nameBytes)
    self.outcome = outcome.cut(toBytes: StoreLimits.summaryBytes)
  }
}

extension StoredNotification {
  /// Its label `workload`; nil for none.
  var workload: String? { (try? JSONReader.value(Array(labels.utf8)))?["workload"]?.string }
}

/// Which notifications are asked for; every condition that is given must hold.
public struct NotificationQuery: Sendable {
  public var alertname: String?
  public var state: String?
  public var alertmanager: String?
  public var outcome: String?
  /// Only those at or after this wall time, in milliseconds since 1970.
  public var sinceMs: Int64?
  /// Only those at or before this wall time, in milliseconds since 1970.
  public var untilMs: Int64?
  /// Only those whose label `workload` is this.
  public var workload: String?
  /// At most this many, the newest by time first; 1 to 10,000.
  public var limit: Int

  public init(
    alertname: String? = nil, state: String? = nil, alertmanager: String? = nil, outcome: String? = nil,
    workload: String? = nil, sinceMs: Int64? = nil, untilMs: Int64? = nil, limit: Int = 100
  ) {
    self.alertname = alertname
    self.state = state
    self.alertmanager = alertmanager
    self.outcome = outcome
    self.workload = workload
    self.sinceMs = sinceMs
    self.untilMs = untilMs
    self.limit = limit
  }

  var boundedLimit: Int { min(max(limit, 1), 10_000) }

  func matches(_ record: StoredNotification) -> Bool {
    (alertname == nil || alertname == record.alertname) && (state == nil || state == record.state)
      && (alertmanager == nil || alertmanager == record.alertmanager)
      && (outcome == nil || outcome == record.outcome) && (sinceMs.map { record.atMs >= $0 } ?? true)
      && (untilMs.map { record.atMs <= $0 } ?? true) && (workload == nil || workload == record.workload)
  }
}
