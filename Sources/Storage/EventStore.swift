/// The events of a store: appended, their text revised once more is known, removed by age and count.
public struct EventStore: Sendable {
  let store: Store

  /// Keeps an event, and raises the counters given by 1 in the same transaction.
  ///
  /// - Returns: false when an event with its key is known, also from before a restart; then nothing is counted.
  @discardableResult
  public func append(_ event: Event, counting keys: [CounterKey] = []) -> Bool {
    store.change { $0.append(event, counting: keys) }
  }

  /// The newest events that match, by time, the newest first; also those that are not in the file yet.
  public func newest(_ query: EventQuery = EventQuery()) async -> [Event] {
    await store.newest(query)
  }
}
