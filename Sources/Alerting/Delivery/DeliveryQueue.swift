/// The alerts that wait for one Alertmanager. No clock and no I/O.
///
/// A later notice of an alert takes the place of an earlier one of the same episode; when the queue is full, the oldest
/// gives way.
struct DeliveryQueue: Sendable {
  /// Why an alert was not delivered; the raw values are label values.
  enum DropReason: String, Sendable, CaseIterable {
    /// The queue was full.
    case full
    /// It waited until it was of no use.
    case expired
    /// Alertmanager refused it.
    case rejected
  }

  /// The most alerts in one request, as in Prometheus.
  static let batchLimit = 64
  /// The most dropped alerts that are remembered until somebody takes them.
  static let lossLimit = 1000

  let capacity: Int
  private(set) var dropped: [DropReason: Int] = [:]
  /// The newest of those dropped and not taken by ``takeLosses()``.
  private var losses: [(alert: OutgoingNotification, reason: DropReason)] = []
  private var order: [OutgoingNotification.Key] = []
  private var alerts: [OutgoingNotification.Key: OutgoingNotification] = [:]
  /// Halves of batches that were refused as a whole; they go before the rest.
  private var pieces: [[OutgoingNotification]] = []

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { order.count + pieces.reduce(0) { $0 + $1.count } }
  /// Everything that waits.
  var waiting: [OutgoingNotification] { pieces.joined() + order.compactMap { alerts[$0] } }
  var isEmpty: Bool { order.isEmpty && pieces.isEmpty }

  mutating func add(_ alert: OutgoingNotification) {
    if alerts.updateValue(alert, forKey: alert.key) == nil { order.append(alert.key) }
    dropSurplus()
  }

  /// Takes in what waits elsewhere, behind what waits here.
  mutating func add(contentsOf queue: DeliveryQueue) {
    for alert in queue.pieces.joined() { add(alert) }
    for key in queue.order { queue.alerts[key].map { add($0) } }
    for (reason, count) in queue.dropped { dropped[reason, default: 0] += count }
    remember(queue.losses)
  }

  /// What was dropped since this was last asked, as far as it is remembered.
  mutating func takeLosses() -> [(alert: OutgoingNotification, reason: DropReason)] {
    defer { losses = [] }
    return losses
  }

  /// The next alerts to send in one request; empty when none wait.
  mutating func takeBatch(atMilliseconds now: Int64) -> [OutgoingNotification] {
    while let piece = pieces.popLast() {
      let batch = current(piece, at: now)
      if !batch.isEmpty { return batch }
    }
    while !order.isEmpty {
      let keys = order.prefix(Self.batchLimit)
      let batch = keys.compactMap { alerts.removeValue(forKey: $0) }
      order.removeFirst(keys.count)
      let live = current(batch, at: now)
      if !live.isEmpty { return live }
    }
    return []
  }

  /// Without what has expired or is known more newly.
  private mutating func current(_ batch: [OutgoingNotification], at now: Int64) -> [OutgoingNotification] {
    let newest = batch.filter { alerts[$0.key] == nil }
    drop(newest.filter { $0.isExpired(atMilliseconds: now) }, .expired)
    return newest.filter { !$0.isExpired(atMilliseconds: now) }
  }

  /// A batch that could not be delivered goes back to the front.
  mutating func putBack(_ batch: [OutgoingNotification]) {
    let kept = batch.filter { alerts[$0.key] == nil }
    for alert in kept { alerts[alert.key] = alert }
    order.insert(contentsOf: kept.map(\.key), at: 0)
    dropSurplus()
  }

  /// A batch that was refused is tried again in halves, so that one bad alert does not lose the others; a single alert
  /// is dropped.
  mutating func split(_ batch: [OutgoingNotification]) {
    guard batch.count > 1 else { return drop(batch, .rejected) }
    let middle = batch.count / 2
    pieces.append(Array(batch[middle...]))
    pieces.append(Array(batch[..<middle]))
  }

  private mutating func dropSurplus() {
    let surplus = order.count - capacity
    guard surplus > 0 else { return }
    let oldest = order.prefix(surplus).compactMap { alerts.removeValue(forKey: $0) }
    order.removeFirst(surplus)
    drop(oldest, .full)
  }

  private mutating func drop(_ alerts: [OutgoingNotification], _ reason: DropReason) {
    guard !alerts.isEmpty else { return }
    dropped[reason, default: 0] += alerts.count
    remember(alerts.map { ($0, reason) })
  }

  private mutating func remember(_ more: [(alert: OutgoingNotification, reason: DropReason)]) {
    losses += more
    if losses.count > Self.lossLimit { losses.removeFirst(losses.count - Self.lossLimit) }
  }
}
