import Runtime

/// What somebody marked: a change, a deploy, an incident. Times are milliseconds since 1970, by the wall clock.
public struct StoredMark: Sendable, Equatable {
  /// Ascends with the time at which marks came in.
  public let id: Int64
  public let atMs: Int64
  /// Nil for a moment.
  public let untilMs: Int64?
  /// Empty where it is of all workloads. Cut at `StoreLimits.nameBytes`, as `node` and `kind` are.
  public let workload: String
  /// Empty where it is of no single node.
  public let node: String
  public let kind: String
  /// Cut at `StoreLimits.summaryBytes`.
  public let text: String
  /// A JSON array of texts; one that is longer than `StoreLimits.factBytes` is left out.
  public let tags: String

  public init(
    id: Int64, atMs: Int64, untilMs: Int64?, workload: String, node: String, kind: String, text: String, tags: String
  ) {
    self.id = id
    self.atMs = atMs
    self.untilMs = untilMs
    self.workload = workload.cut(toBytes: StoreLimits.nameBytes)
    self.node = node.cut(toBytes: StoreLimits.nameBytes)
    self.kind = kind.cut(toBytes: StoreLimits.nameBytes)
    self.text = text.cut(toBytes: StoreLimits.summaryBytes)
    self.tags = tags.utf8.count <= StoreLimits.factBytes ? tags : "[]"
  }
}

/// The marks of a store: bounded by count and age.
public struct StoredMarks: Sendable {
  let store: Store

  /// Keeps a mark together with the event about it, and counts it.
  public func append(_ mark: StoredMark, _ event: Event, counting keys: [CounterKey]) {
    store.change { ledger in
      ledger.append(mark)
      ledger.append(event, counting: keys)
    }
  }

  /// All that are kept, the oldest by their ids first, also those that are not in the file yet; nil while it cannot be read.
  public func load() async -> [StoredMark]? { await store.marks() }
}
