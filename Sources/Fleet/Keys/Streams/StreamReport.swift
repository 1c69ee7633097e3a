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
  /// Groups that were left out, because there were too many.
  let omittedGroupCount: Int

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
    omittedGroupCount = max(0, (groups?.elements?.count ?? 0) - KeyWorkLimits.streamGroups)
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
extension StreamReport {
  /// Ids from this on (September 2001) can be clock times; users may also give ids of their own, such as `1-1`.
  private static let earliestClockMilliseconds = 1e12

  /// - Parameter nowMilliseconds: the server's clock, or nil where it did not tell.
  func add(database: Int, nowMilliseconds: Double?, into sink: inout SampleSink) {
    let db = LabelValue.text(databaseLabel(database))
    let stream = LabelValue.text(keyLabel(name))
    let values = [
      (StreamFamilies.length, length), (StreamFamilies.radixTreeKeys, radixTreeKeys),
      (StreamFamilies.radixTreeNodes, radixTreeNodes), (StreamFamilies.groups, groupCount),
      (StreamFamilies.lastGeneratedID, lastGenerated), (StreamFamilies.maxDeletedEntryID, maxDeleted),
      (StreamFamilies.entriesAdded, entriesAdded), (StreamFamilies.firstEntryID, firstEntry),
      (StreamFamilies.lastEntryID, lastEntry),
    ]
    for (family, value) in values {
      if let value { sink.add(family, value, [db, stream]) }
    }
    if !groups.isEmpty, groups.allSatisfy({ $0.consumers != nil }) {
      sink.add(StreamFamilies.groupsWithoutConsumer, Double(groups.count { $0.consumers == 0 }), [db, stream])
    }
    for (family, value) in idempotency { sink.add(family, value, [db, stream]) }
    for group in groups {
      let labels = [db, stream, .text(keyLabel(group.name))]
      let values = [
        (StreamFamilies.groupConsumers, group.consumers), (StreamFamilies.groupPending, group.pending),
        (StreamFamilies.groupLastDeliveredID, group.lastDelivered),
        (StreamFamilies.groupEntriesRead, group.entriesRead), (StreamFamilies.groupLag, group.lag),
        (StreamFamilies.groupLagKnown, group.lag == nil ? 0 : 1), (StreamFamilies.groupNacked, group.nacked),
        (StreamFamilies.groupLagSeconds, lagSeconds(of: group)),
        (StreamFamilies.groupOldestPending, oldestPendingSeconds(of: group, nowMilliseconds)),
      ]
      for (family, value) in values {
        if let value { sink.add(family, value, labels) }
      }
      for member in group.members {
        let labels = labels + [.text(member.name)]
        if let pending = member.pending { sink.add(StreamFamilies.consumerPending, pending, labels) }
        if let idle = member.idleSeconds { sink.add(StreamFamilies.consumerIdle, idle, labels) }
      }
    }
  }

  /// From the last entry that the group was given to the newest id. A group that was given none yet lags since the first
  /// entry; an empty stream has no lag.
  func lagSeconds(of group: Group) -> Double? {
    guard let lastGenerated, let lastDelivered = group.lastDelivered else { return nil }
    if length == 0 || group.lag == 0 || lastDelivered >= lastGenerated { return 0 }
    let from = max(lastDelivered, firstEntry ?? 0)
    guard from >= Self.earliestClockMilliseconds else { return nil }
    return max(0, (lastGenerated - from) / 1000)
  }

  func oldestPendingSeconds(of group: Group, _ nowMilliseconds: Double?) -> Double? {
    if group.pending == 0 { return 0 }
    guard let nowMilliseconds, let oldest = group.oldestPending, oldest >= Self.earliestClockMilliseconds else {
      return nil
    }
    return max(0, (nowMilliseconds - oldest) / 1000)
  }
}
