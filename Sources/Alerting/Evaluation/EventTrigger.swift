import Metrics
import PromQL
import Runtime

/// Notices changes of metrics that stand for events, such as a node's loss or a failover, and then asks for an evaluation.
///
/// It sees every publication of a registry where it is made, so it must be quick. Changes of a moment share one call.
final class EventTrigger: Sendable {
  private struct State {
    var families: FamilySelection?
    /// Of the metrics watched, by source.
    var digests: [String: UInt64] = [:]
    var isChanged = false
    var isCalling = false
    var call: (@Sendable () async -> Void)?
  }
  private let state = Lock(State())

  /// A failover changes a dozen sources within this.
  static let gathering: Duration = .milliseconds(20)
  /// Between two calls.
  static let pause: Duration = .milliseconds(200)

  func start(_ families: FamilySelection, call: @escaping @Sendable () async -> Void) {
    state.withLock { $0 = State(families: families, call: call) }
  }

  func stop() {
    state.withLock { $0 = State() }
  }

  func note(_ samples: Samples, _ key: String) {
    let mustCall = state.withLock { state in
      guard state.families != nil, let digest = state.families?.digest(samples) else { return false }
      // What a source says first is no change.
      guard let before = state.digests.updateValue(digest, forKey: key), before != digest else { return false }
      state.isChanged = true
      defer { state.isCalling = true }
      return !state.isCalling
    }
    guard mustCall else { return }
    Task(executorPreference: WorkExecutor.rules) { await self.callUntilQuiet() }
  }

  private func callUntilQuiet() async {
    try? await Task.sleep(for: Self.gathering)
    while let call = takeCall() {
      await call()
      try? await Task.sleep(for: Self.pause)
    }
  }

  /// Nil once nothing has changed since the last call.
  private func takeCall() -> (@Sendable () async -> Void)? {
    state.withLock { state in
      guard state.isChanged, let call = state.call else {
        state.isCalling = false
        return nil
      }
      state.isChanged = false
      return call
    }
  }
}

extension FamilySelection {
  fileprivate mutating func digest(_ samples: Samples) -> UInt64 { samples.digest(of: &self) }
}

/// Which alerting rules read a metric of events, themselves or by what is recorded from it.
enum EventReaders {
  /// - Parameter metrics: full names.
  /// - Returns: the places of those rules, for each group.
  static func places(in groups: [RuleGroup], of metrics: Set<String>) -> [Set<Int>] {
    var names = metrics
    var known = -1
    while names.count != known {
      known = names.count
      for case .recording(let rule) in groups.flatMap(\.rules) where reads(rule.query, anyOf: names) {
        names.insert(rule.name)
      }
    }
    return groups.map { group in
      Set(
        group.rules.indices.filter { index in
          guard case .alerting(let rule) = group.rules[index] else { return false }
          return reads(rule.query, anyOf: names)
        })
    }
  }

  /// Whether a selector of the query names one of these metrics.
  private static func reads(_ query: Query, anyOf names: Set<String>) -> Bool {
    query.reaches().contains { reach in
      reach.matchers.contains { matcher in
        matcher.name == Labels.metricName && names.contains { matcher.matches(value: $0) }
      }
    }
  }
}
