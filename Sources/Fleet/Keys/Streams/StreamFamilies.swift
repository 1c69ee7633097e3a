import Metrics

/// The families of streams, their groups and consumers. Ids are shown by their first half: milliseconds since the epoch.
enum StreamFamilies {
  private static let stream = ["db", "stream"]
  private static let group = ["db", "stream", "group"]
  private static let consumer = ["db", "stream", "group", "consumer"]

  private static func ofStream(_ name: String, _ help: String, unit: Unit = .none) -> Family {
    .gauge("stream_" + name, help, labels: stream, unit: unit)
  }
  private static func ofGroup(_ name: String, _ help: String, unit: Unit = .none) -> Family {
    .gauge("stream_group_" + name, help, labels: group, unit: unit)
  }

  static let length = ofStream("length", "Entries in the stream (XINFO STREAM length).")
  static let radixTreeKeys = ofStream(
    "radix_tree_keys", "Keys of the tree that holds the stream (XINFO STREAM radix-tree-keys).")
  static let radixTreeNodes = ofStream(
    "radix_tree_nodes", "Nodes of the tree that holds the stream (XINFO STREAM radix-tree-nodes).")
  static let groups = ofStream("groups", "Consumer groups of the stream (XINFO STREAM groups).")
  static let lastGeneratedID = ofStream(
    "last_generated_id", "Milliseconds part of the last id that the stream generated (XINFO STREAM last-generated-id).")
  static let firstEntryID = ofStream(
    "first_entry_id", "Milliseconds part of the first entry's id; 0 if there is none (XINFO STREAM first-entry).")
  static let lastEntryID = ofStream(
    "last_entry_id", "Milliseconds part of the last entry's id; 0 if there is none (XINFO STREAM last-entry).")
  static let maxDeletedEntryID = ofStream(
    "max_deleted_entry_id",
    "Milliseconds part of the highest id that was deleted from the stream (XINFO STREAM max-deleted-entry-id).")
  static let entriesAdded = Family.counter(
    "stream_entries_added_total", "Entries ever added to the stream (XINFO STREAM entries-added).", labels: stream)
  static let idempotencyDuration = ofStream(
    "idmp_duration_seconds", "How long the stream remembers idempotent ids (XINFO STREAM idmp-duration).",
    unit: .seconds)
  static let idempotencyMaxSize = ofStream(
    "idmp_max_size", "Idempotent ids that the stream remembers for each producer (XINFO STREAM idmp-maxsize).")
  static let idempotencyProducers = ofStream(
    "idmp_producer_ids_tracked", "Producers whose idempotent ids the stream remembers now (XINFO STREAM pids-tracked).")
  static let idempotencyIDs = ofStream(
    "idmp_idempotent_ids_tracked", "Idempotent ids that the stream remembers now (XINFO STREAM iids-tracked).")
  static let idempotencyAdded = Family.counter(
    "stream_idmp_entries_added_total", "Entries ever added with an idempotent id (XINFO STREAM iids-added).",
    labels: stream)
  static let idempotencyDuplicates = Family.counter(
    "stream_idmp_duplicates_total",
    "Entries refused because their idempotent id was known (XINFO STREAM iids-duplicates).",
    labels: stream)

  static let groupsWithoutConsumer = ofStream(
    "groups_without_consumer", "Groups of the stream that have no consumer (XINFO GROUPS consumers).")

  static let groupConsumers = ofGroup("consumers", "Consumers of the group (XINFO GROUPS consumers).")
  static let groupPending = ofGroup(
    "messages_pending", "Entries delivered to the group and not yet acknowledged (XINFO GROUPS pending).")
  static let groupLastDeliveredID = ofGroup(
    "last_delivered_id",
    "Milliseconds part of the last id delivered to the group (XINFO GROUPS last-delivered-id).")
  static let groupEntriesRead = ofGroup(
    "entries_read", "Entries that the group has read, if the server knows (XINFO GROUPS entries-read).")
  static let groupLag = ofGroup(
    "lag", "Entries not yet delivered to the group, if the server knows (XINFO GROUPS lag).")
  static let groupLagKnown = ofGroup(
    "lag_known",
    "Whether the server knows how many entries are not yet delivered to the group: 1 yes, 0 no (XINFO GROUPS lag).")
  static let groupNacked = ofGroup(
    "messages_nacked", "Entries that the group's consumers gave back (XINFO STREAM FULL nacked-count).")
  static let groupLagSeconds = ofGroup(
    "lag_seconds",
    "Time between the last entry delivered to the group and the newest entry, by their ids, if the ids are clock times.",
    unit: .seconds)
  static let groupOldestPending = ofGroup(
    "oldest_pending_seconds",
    "Age of the oldest entry delivered and not yet acknowledged, by its id; 0 if there is none (XPENDING).",
    unit: .seconds)

  static let consumerPending = Family.gauge(
    "stream_group_consumer_messages_pending",
    "Entries delivered to the consumer and not yet acknowledged (XINFO CONSUMERS pending).", labels: consumer)
  static let consumerIdle = Family.gauge(
    "stream_group_consumer_idle_seconds",
    "Time since the consumer last tried to read or claim entries (XINFO CONSUMERS idle).",
    labels: consumer, unit: .seconds)

  static let all = [
    length, radixTreeKeys, radixTreeNodes, groups, lastGeneratedID, firstEntryID, lastEntryID, maxDeletedEntryID,
    entriesAdded, idempotencyDuration, idempotencyMaxSize, idempotencyProducers, idempotencyIDs, idempotencyAdded,
    idempotencyDuplicates, groupsWithoutConsumer, groupConsumers, groupPending, groupLastDeliveredID, groupEntriesRead,
    groupLag, groupLagKnown, groupNacked,
    groupLagSeconds, groupOldestPending, consumerPending, consumerIdle,
  ]
}
