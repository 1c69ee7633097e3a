import Runtime

/// What is to be served: the newest samples of each source.
///
/// Sources publish when they have something new; a page is put together when somebody asks and is shared until a source
/// publishes again.
public final class Registry: Sendable {
  /// One state of the registry.
  public struct Page: Sendable {
    /// Rises with every change; equal generations are equal pages.
    public let generation: UInt64
    public let sources: [Samples]
    /// What each source is called, in the same order.
    public let keys: [String]

    /// How many samples the page has.
    public var sampleCount: Int { sources.reduce(0) { $0 + $1.count } }

    public init(generation: UInt64, sources: [Samples], keys: [String]) {
      self.generation = generation
      self.sources = sources
      self.keys = keys
    }
  }

  private struct State {
    var live: [@Sendable () -> Samples]
    var published: [String: Samples] = [:]
    var generation: UInt64 = 1
    var page: Page?
  }
  private let state: Lock<State>
  /// In a structure: a bare closure in a generic place is wrapped once more each time that it is looked at.
  private struct Observer {
    let observe: @Sendable (_ samples: Samples, _ key: String) -> Void
  }
  private let observer = Lock<Observer?>(nil)

  /// - Parameter live: sources that are read whenever a new page is put together, such as the process's own figures.
  public init(live: [@Sendable () -> Samples] = []) {
    state = Lock(State(live: live))
  }

  /// Adds a live source that itself reads the registry, and so could not be there before it.
  public func add(live: @escaping @Sendable () -> Samples) {
    state.withLock { state in
      state.live.append(live)
      state.generation += 1
    }
  }

  /// Replaces what the source `key` published before.
  public func publish(_ samples: Samples, under key: String) {
    state.withLock { state in
      state.published[key] = samples
      state.generation += 1
    }
    observer.withLock { $0 }?.observe(samples, key)
  }

  /// Has `observe` called after each publication, where it was made: it must take microseconds.
  public func onPublish(_ observe: @escaping @Sendable (_ samples: Samples, _ key: String) -> Void) {
    observer.withLock { $0 = Observer(observe: observe) }
  }

  /// Removes the source: its series are gone from the next page on.
  public func withdraw(_ key: String) {
    state.withLock { state in
      guard state.published.removeValue(forKey: key) != nil else { return }
      state.generation += 1
    }
  }

  /// The newest page.
  public func page() -> Page {
    let (known, published, live, generation) = state.withLock { state in
      (state.page, state.published, state.live, state.generation)
    }
    if let known, known.generation == generation { return known }
    // Live sources read files: not under the lock.
    let sorted = published.sorted { $0.key < $1.key }
    let page = Page(
      generation: generation, sources: sorted.map(\.value) + live.map { $0() },
      keys: sorted.map(\.key) + live.indices.map { "live/\($0)" })
    state.withLock { state in
      if generation > state.page?.generation ?? 0 { state.page = page }
    }
    return page
  }
}
