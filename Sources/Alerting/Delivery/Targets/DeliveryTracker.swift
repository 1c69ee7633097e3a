import Runtime

/// What waits for one Alertmanager and what became of the rest. It outlives a reload of the configuration.
final class DeliveryTracker: Sendable {
  struct Figures: Sendable {
    var queue: DeliveryQueue
    var log = NotificationLog()
    var sentCount = 0
    /// Requests that brought no success.
    var errorCount = 0
    var requestCount = 0
    var requestSeconds = 0.0
    /// Seconds since 1970.
    var lastSuccessSeconds: Double?
    var offsetSeconds: Double?
    /// The class of the last failure, until something is accepted again.
    var failureClass: String?
  }

  private let state: Lock<Figures>

  init(capacity: Int) { state = Lock(Figures(queue: DeliveryQueue(capacity: capacity))) }

  var figures: Figures { state.withLock { $0 } }

  func withFigures<Result>(_ body: (inout Figures) -> Result) -> Result { state.withLock { body(&$0) } }

  func add(_ alerts: [OutgoingNotification]) {
    state.withLock { figures in
      for alert in alerts { figures.queue.add(alert) }
    }
  }

  /// Another limit for the queue; what no longer fits is dropped, the oldest first.
  func setCapacity(_ capacity: Int) {
    state.withLock { figures in
      guard figures.queue.capacity != capacity else { return }
      var queue = DeliveryQueue(capacity: capacity)
      queue.add(contentsOf: figures.queue)
      figures.queue = queue
    }
  }
}
