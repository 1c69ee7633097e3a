import Metrics

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
