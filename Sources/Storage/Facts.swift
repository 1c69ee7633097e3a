/// Small texts by key that must outlive the process, such as `sentinel/mymaster/config_epoch` = `7`.
public struct Facts: Sendable {
  let store: Store

  /// nil for a fact that was never set.
  public subscript(key: String) -> Fact? { store.change { $0.facts[key] } }

  /// Sets a fact; nil forgets it. Keys and values are bounded by `StoreLimits`.
  public func set(_ key: String, to value: String?, at atSeconds: Double) {
    store.change { $0.setFact(key, to: value, atSeconds: atSeconds) }
  }
}
