import Config
import HTTPClient
import Runtime
import Transport

/// A name whose every address is an Alertmanager; it is looked up again and again.
final class DiscoveredName: Sendable {
  /// How often a name is looked up that has not resolved yet, in seconds.
  private static let retrySeconds = 5
  /// How often one is that has; an answer is kept by the resolver for a moment less.
  private static let refreshSeconds = Int(clamping: NameResolver.lifetimeSeconds) + 1

  let config: AlertmanagerConfig
  private let task = Lock(Task<Void, Never>?.none)

  init(_ config: AlertmanagerConfig) { self.config = config }

  /// The address as it is configured.
  var key: String { config.address.description }

  /// Looks up at once and then for ever; only the first call counts.
  func start(_ names: NameResolver, found: @escaping @Sendable (Set<String>) -> Void) {
    task.withLock { task in
      guard task == nil else { return }
      let host = config.address.host
      task = Task {
        while !Task.isCancelled {
          let addresses = Set(await names.addresses(of: host))
          if Task.isCancelled { return }
          found(addresses)
          try? await Task.sleep(for: .seconds(addresses.isEmpty ? Self.retrySeconds : Self.refreshSeconds))
        }
      }
    }
  }

  func stop() { task.withLock { $0 }?.cancel() }
}
