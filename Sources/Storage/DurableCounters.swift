/// The counters of a store that restarts must not reset, such as that of failovers.
public struct DurableCounters: Sendable {
  let store: Store

  /// All counters, also those of earlier runs.
  public func load() -> [CounterKey: Counter] { store.change { $0.counters } }

  /// nil for a counter that was never declared, added to or set.
  public subscript(key: CounterKey) -> Counter? { store.change { $0.counters[key] } }

  /// Makes a counter that starts at 0, so that `increase()` sees its first change; an existing one stays as it is.
  public func declare(_ key: CounterKey) { store.change { $0.declare(key) } }

  /// Adds to a counter, which starts at 0.
  ///
  /// - Parameters:
  ///   - delta: finite; 0 only declares the counter.
  ///   - atSeconds: wall time of the change, in seconds since the epoch.
  public func add(_ key: CounterKey, _ delta: Double = 1, at atSeconds: Double) {
    store.change { $0.add(delta, to: key, atSeconds: atSeconds) }
  }

  /// Sets a counter to a finite value; its time of change moves only when the value does.
  public func set(_ key: CounterKey, to value: Double, at atSeconds: Double) {
    store.change { $0.set(key, to: value, atSeconds: atSeconds) }
  }

  /// Forgets a counter.
  public func remove(_ key: CounterKey) { store.change { $0.remove(key) } }
}
