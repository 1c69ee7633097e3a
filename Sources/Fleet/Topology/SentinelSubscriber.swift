/// One workload that listens to what a Sentinel publishes.
struct SentinelSubscriber: Sendable {
  let lease: SentinelLease
  private let listener: SentinelListener
  private let id: Int

  /// - Parameters:
  ///   - open: begins to listen where nobody does yet.
  ///   - connected: called after each subscription, and now where there is one; what was published before was missed.
  ///   - hear: called with each message, one at a time.
  init(
    _ lease: SentinelLease, open: () -> SentinelListener, connected: @escaping SentinelListener.Connected,
    hear: @escaping SentinelListener.Hear
  ) {
    self.lease = lease
    listener = lease.sentinel.listener(open)
    id = listener.add(connected: connected, hear: hear)
  }

  /// Whether everything that the Sentinel publishes is heard now.
  var isListening: Bool { listener.isListening }

  func stop() { listener.remove(id) }
}
