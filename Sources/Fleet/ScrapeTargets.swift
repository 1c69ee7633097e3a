import NIOCore

/// The targets of `/scrape`: a node for each, kept as long as somebody scrapes it.
///
/// A scrape finds the connection open and the refusals remembered. The number is bounded, since a caller names the
/// targets: the one that was idle longest makes room.
public actor ScrapeTargets<Key: Hashable & Sendable> {
  /// A target that nobody scraped for this long is closed.
  public static var idleLimit: TimeAmount { .minutes(5) }

  private struct Entry {
    let node: Node
    let work: Task<Void, Never>
    var lastUse: NIODeadline
  }
  private let limit: Int
  private let make: @Sendable (Key) throws -> Node
  private var entries: [Key: Entry] = [:]
  private var isStopped = false

  /// - Parameter limit: the most targets that are open at once, at least 1.
  public init(limit: Int, make: @escaping @Sendable (Key) throws -> Node) {
    precondition(limit > 0)
    self.limit = limit
    self.make = make
  }

  /// The node of a target, newly made or known; nil after ``stop()``.
  ///
  /// - Throws: what the making of a node throws.
  public func node(for key: Key, now: NIODeadline = .now()) async throws -> Node? {
    guard !isStopped else { return nil }
    if let node = entries[key]?.node {
      entries[key]?.lastUse = now
      return node
    }
    let node = try make(key)
    entries[key] = Entry(node: node, work: Task { await node.run() }, lastUse: now)
    await closeIdle(now: now)
    return node
  }

  public var count: Int { entries.count }

  /// Takes note that files or permissions may have changed: nodes are rebuilt when they are asked for.
  public func reset() async {
    let open = entries
    entries = [:]
    for entry in open.values { await close(entry) }
  }

  public func stop() async {
    isStopped = true
    await reset()
  }

  /// Closes what is idle, and what was idle longest while there are too many.
  private func closeIdle(now: NIODeadline) async {
    var victims = entries.filter { now - $0.value.lastUse > Self.idleLimit }
    let surplus = entries.count - victims.count - limit
    if surplus > 0 {
      let oldest = entries.filter { victims[$0.key] == nil }.sorted { $0.value.lastUse < $1.value.lastUse }
      for (key, entry) in oldest.prefix(surplus) { victims[key] = entry }
    }
    for key in victims.keys { entries[key] = nil }
    for entry in victims.values { await close(entry) }
  }

  private func close(_ entry: Entry) async {
    entry.work.cancel()
    await entry.node.stop()
  }
}
