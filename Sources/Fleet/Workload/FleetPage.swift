import Metrics
import Runtime

/// One part's place on the page of the whole fleet. Once closed, nothing that is still under way can appear there.
public final class FleetPage: Sendable {
  private let registry: Registry
  private let name: String
  /// The sources that were published; nil once closed.
  private let sources = Lock<Set<String>?>([])

  /// - Parameter name: unique among the parts of the registry; pages are ordered by it.
  public init(_ registry: Registry, name: String) {
    self.registry = registry
    self.name = name
  }

  func publish(_ samples: Samples, under source: String) {
    sources.withLock { open in
      guard open != nil else { return }
      open?.insert(source)
      registry.publish(samples, under: "\(name)/\(source)")
    }
  }

  /// Takes everything off the page, for good.
  public func close() {
    sources.withLock { open in
      for source in open ?? [] { registry.withdraw("\(name)/\(source)") }
      open = nil
    }
  }
}
