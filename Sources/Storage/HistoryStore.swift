/// The long baselines of a store: downsampled series of a day or more.
///
/// Points are gathered for `StoreOptions.historyDelayMs` and written in a transaction of their own, so that `Store.flush()`
/// never waits for them. While the file cannot be written, the newest `StoreOptions.pendingPointCount` stay in memory.
public struct HistoryStore: Sendable {
  let store: Store

  /// Keeps points. Of two points of a series at the same time, the later one given counts.
  public func append(_ points: [HistoryPoint]) { store.append(points) }

  /// Removes points older than this from now on, in milliseconds; `StoreOptions.historyRetentionMs` until it is said.
  public func retain(ms: Int64) { store.retainHistory(ms: ms) }

  /// The points from `sinceMs` to `untilMs`, both included, also those that are not in the file yet; sorted by labels.
  ///
  /// At most `StoreLimits.loadedPoints`, the newest. A point takes 16 bytes of memory: ask for hour after hour where the
  /// whole is not needed at once.
  public func load(sinceMs: Int64, untilMs: Int64 = .max) async -> [HistorySeries] {
    await store.history(sinceMs: sinceMs, untilMs: untilMs)
  }

  /// Waits until the points that were appended before are in the file.
  ///
  /// - Returns: false when they could not be written; `Store.health` says why, and it is tried again.
  @discardableResult
  public func flush() async -> Bool { await store.flushHistory() }
}
