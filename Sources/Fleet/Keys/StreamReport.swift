import Metrics
import Redis

/// What was found out about one stream. What the server does not know, or does not tell, is nil.
struct StreamReport: Sendable, Equatable {
  struct Consumer: Sendable, Equatable {
    let name: String
    let pending: Double?
    let idleSeconds: Double?
  }
  struct Group: Sendable, Equatable {
    let name: [UInt8]
    let consumers: Double?
    let pending: Double?
    let lastDelivered: Double?
    let entriesRead: Double?
    let lag: Double?
    var nacked: Double?
    /// Milliseconds part of the first pending entry's id.
    var oldestPending: Double?
    var members: [Consumer] = []
  }

  let name: [UInt8]
  let length: Double?
  let radixTreeKeys: Double?
  let radixTreeNodes: Double?
  let groupCount: Double?
  let lastGenerated: Double?
  let maxDeleted: Double?
  let entriesAdded: Double?
  /// 0 for an empty stream.
  let firstEntry: Double?
  let lastEntry: Double?
  /// Present where the reply has `idmp-duration` (Redis 8.6).
  let idempotency: [(Family, Double)]
  var groups: [Group]

  /// Reads XINFO STREAM and XINFO GROUPS.
  /// - Returns: nil when the first is no answer about a stream.
  init?(name: [UInt8], stream: Reply?, groups: Reply?) {
    guard let stream, stream.elements != nil, let length = stream.field("length")?.double else { return nil }
    self.name = name
    self.length = length
    radixTreeKeys = stream.field("radix-tree-keys")?.double
    radixTreeNodes = stream.field("radix-tree-nodes")?.double
    groupCount = stream.field("groups")?.double
    lastGenerated = stream.field("last-generated-id").flatMap(idMilliseconds)
    maxDeleted = stream.field("max-deleted-entry-id").flatMap(idMilliseconds)
    entriesAdded = stream.field("entries-added")?.double
    firstEntry = stream.field("first-entry").map(Self.entryMilliseconds)
    lastEntry = stream.field("last-entry").map(Self.entryMilliseconds)
    idempotency =
      stream.field("idmp-duration") == nil
      ? []
      : Self.idempotencyFields.compactMap { field, family in
        stream.field(field)?.double.map { (family, $0) }
      }
    self.groups = groups?.elements.map { $0.prefix(KeyWorkLimits.streamGroups).compactMap(Group.init) } ?? []
  }

  private static let idempotencyFields = [
    ("idmp-duration", StreamFamilies.idempotencyDuration), ("idmp-maxsize", StreamFamilies.idempotencyMaxSize),
    ("pids-tracked", StreamFamilies.idempotencyProducers), ("iids-tracked", StreamFamilies.idempotencyIDs),
    ("iids-added", StreamFamilies.idempotencyAdded), ("iids-duplicates", StreamFamilies.idempotencyDuplicates),
  ]

  private static func entryMilliseconds(_ entry: Reply) -> Double {
    entry.elements?[0].flatMap(idMilliseconds) ?? 0
  }

  /// Reads `nacked-count` of the groups of XINFO STREAM FULL (Redis 8.8).
  mutating func readFull(_ reply: Reply?) {
    guard let full = reply?.field("groups")?.elements else { return }
    for group in full {
      guard let name = group.field("name")?.bytes, let count = group.field("nacked-count")?.double,
        let index = groups.firstIndex(where: { $0.name.elementsEqual(name) })
      else { continue }
      groups[index].nacked = count
    }
  }

  static func == (left: StreamReport, right: StreamReport) -> Bool {
    left.name == right.name && left.length == right.length && left.groups == right.groups
  }
}

extension StreamReport.Group {
  init?(_ reply: Reply) {
    guard let name = reply.field("name")?.bytes else { return nil }
    self.name = Array(name)
    consumers = reply.field("consumers")?.double
    pending = reply.field("pending")?.double
    lastDelivered = reply.field("last-delivered-id").flatMap(idMilliseconds)
    entriesRead = reply.field("entries-read")?.double
    lag = reply.field("lag")?.double
  }

  /// Reads XINFO CONSUMERS.
  mutating func readConsumers(_ reply: Reply?) {
    members =
      reply?.elements?.compactMap { consumer in
        consumer.field("name")?.bytes.map { name in
          StreamReport.Consumer(
            name: keyLabel(name), pending: consumer.field("pending")?.double,
            idleSeconds: consumer.field("idle")?.double.map { $0 / 1000 })
        }
      } ?? []
  }

  /// Reads the summary of XPENDING: count, lowest id, highest id, consumers.
  mutating func readPending(_ reply: Reply?) {
    oldestPending = reply?.elements?[1].flatMap(idMilliseconds)
  }
}

/// The first half of an id such as `1526569495631-0`.
func idMilliseconds(_ reply: Reply) -> Double? {
  reply.bytes.flatMap { parseDouble($0.prefix { $0 != UInt8(ascii: "-") }) }
}
