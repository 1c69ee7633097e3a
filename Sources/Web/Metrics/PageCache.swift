import Runtime

/// The newest rendered body of each format and encoding, shared by all who ask for it.
///
/// Requests that ask for one page at once wait for one rendering.
final class PageCache: Sendable {
  private struct Key: Hashable {
    let format: PageFormat
    let encoding: ContentEncoding
  }
  private struct Entry {
    let generation: UInt64
    /// A small body, until there is a newer one.
    private var kept: Payload?
    /// A large body is there for as long as somebody sends it: the page of a whole fleet changes before it is asked for
    /// again.
    private weak var lent: Payload?
    var rendering: Task<Payload, Never>?

    init(generation: UInt64, rendering: Task<Payload, Never>) {
      self.generation = generation
      self.rendering = rendering
    }

    init(generation: UInt64, body: Payload) {
      self.generation = generation
      if body.count <= PageCache.keptBytes { kept = body } else { lent = body }
    }

    var body: Payload? { kept ?? lent }
  }
  private static let keptBytes = 1 << 20
  private enum Found {
    case body(Payload)
    case rendering(Task<Payload, Never>)
    /// Nobody has rendered it yet, and it is quickly done.
    case small
    /// Someone has a newer page: this one is rendered for its asker alone.
    case outdated
  }
  private let entries = Lock<[Key: Entry]>([:])

  func body(of page: MetricsPage, _ format: PageFormat, _ encoding: ContentEncoding) async -> Payload {
    let key = Key(format: format, encoding: encoding)
    let found = entries.withLock { entries -> Found in
      if let entry = entries[key], entry.generation >= page.generation {
        if entry.generation > page.generation { return .outdated }
        if let body = entry.body { return .body(body) }
        if let rendering = entry.rendering { return .rendering(rendering) }
      }
      if page.isSmall { return .small }
      if page.isSharedWhileRendered, let rendering = entries[key]?.rendering { return .rendering(rendering) }
      let rendering = Task(executorPreference: WorkExecutor.compute) {
        let body = page.body(format, encoding)
        self.entries.withLock { entries in
          guard entries[key]?.generation == page.generation else { return }
          entries[key] = Entry(generation: page.generation, body: body)
        }
        return body
      }
      entries[key] = Entry(generation: page.generation, rendering: rendering)
      return .rendering(rendering)
    }
    switch found {
    case .body(let body): return body
    case .rendering(let task): return await task.value
    case .outdated: return await Self.render(page, format, encoding)
    case .small:
      let body = page.body(format, encoding)
      entries.withLock { entries in
        guard entries[key]?.generation ?? 0 < page.generation else { return }
        entries[key] = Entry(generation: page.generation, body: body)
      }
      return body
    }
  }

  /// A body that nobody shares.
  static func render(_ page: MetricsPage, _ format: PageFormat, _ encoding: ContentEncoding) async -> Payload {
    if page.isSmall { return page.body(format, encoding) }
    return await Task(executorPreference: WorkExecutor.compute) { page.body(format, encoding) }.value
  }
}
