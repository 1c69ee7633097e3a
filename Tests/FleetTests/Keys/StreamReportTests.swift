import Metrics
import Redis
import Testing

@testable import Fleet

@Suite struct StreamReportTests {
  /// A reply as a server printed it, one line each.
  private func reply(_ lines: String) throws -> Reply {
    try replies(lines.split(whereSeparator: { $0 == " " || $0 == "\n" }).joined(separator: "\r\n") + "\r\n")[0]
  }

  /// XINFO STREAM and XINFO GROUPS of redis 5.0.14.
  static let oldStream = """
    *14 $6 length :30 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 $6 groups :1 $17 last-generated-id
    $15 1795411943275-0 $11 first-entry *2 $15 1795411943126-0 *2 $2 id $1 0 $10 last-entry *2 $15 1795411943275-0
    *2 $2 id $2 29
    """
  static let oldGroups =
    "*1 *8 $4 name $6 fulfil $9 consumers :2 $7 pending :12 $17 last-delivered-id $15 1795411943182-0"

  /// The same of redis 7.4.1.
  static let newStream = """
    *20 $6 length :30 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 $17 last-generated-id $15 1795411985539-0
    $20 max-deleted-entry-id $3 0-0 $13 entries-added :30 $23 recorded-first-entry-id $15 1795411985424-0 $6 groups :1
    $11 first-entry *2 $15 1795411985424-0 *2 $2 id $1 0 $10 last-entry *2 $15 1795411985539-0 *2 $2 id $2 29
    """
  static let newGroups = """
    *1 *12 $4 name $6 fulfil $9 consumers :2 $7 pending :12 $17 last-delivered-id $15 1795411985470-0
    $12 entries-read :12 $3 lag :18
    """
  static let newConsumers = """
    *2 *8 $4 name $8 worker-1 $7 pending :7 $4 idle :9674 $8 inactive :9674
    *8 $4 name $8 worker-2 $7 pending :5 $4 idle :9670 $8 inactive :9670
    """

  @Test func anOldServersStreamHasNoFieldsThatItDoesNotTell() throws {
    let report = try #require(
      StreamReport(name: Array("orders".utf8), stream: reply(Self.oldStream), groups: reply(Self.oldGroups)))
    #expect(
      page { report.add(database: 0, nowMilliseconds: nil, into: &$0) } == """
        redis_stream_first_entry_id{db="db0",stream="orders"} 1795411943126
        redis_stream_group_consumers{db="db0",stream="orders",group="fulfil"} 2
        redis_stream_group_lag_known{db="db0",stream="orders",group="fulfil"} 0
        redis_stream_group_lag_seconds{db="db0",stream="orders",group="fulfil"} 0.093
        redis_stream_group_last_delivered_id{db="db0",stream="orders",group="fulfil"} 1795411943182
        redis_stream_group_messages_pending{db="db0",stream="orders",group="fulfil"} 12
        redis_stream_groups_without_consumer{db="db0",stream="orders"} 0
        redis_stream_groups{db="db0",stream="orders"} 1
        redis_stream_last_entry_id{db="db0",stream="orders"} 1795411943275
        redis_stream_last_generated_id{db="db0",stream="orders"} 1795411943275
        redis_stream_length{db="db0",stream="orders"} 30
        redis_stream_radix_tree_keys{db="db0",stream="orders"} 1
        redis_stream_radix_tree_nodes{db="db0",stream="orders"} 2
        """)
  }

  @Test func aNewServersStreamShowsAll() throws {
    var report = try #require(
      StreamReport(name: Array("orders".utf8), stream: reply(Self.newStream), groups: reply(Self.newGroups)))
    report.groups[0].readConsumers(try reply(Self.newConsumers))
    report.groups[0].readPending(try reply("*4 :12 $15 1795411985424-0 $15 1795411985470-0 *0"))
    let text = page { report.add(database: 2, nowMilliseconds: 1_795_411_995_424, into: &$0) }
    for line in [
      "redis_stream_group_lag{db=\"db2\",stream=\"orders\",group=\"fulfil\"} 18",
      "redis_stream_group_entries_read{db=\"db2\",stream=\"orders\",group=\"fulfil\"} 12",
      "redis_stream_group_oldest_pending_seconds{db=\"db2\",stream=\"orders\",group=\"fulfil\"} 10",
      "redis_stream_entries_added_total{db=\"db2\",stream=\"orders\"} 30",
      "redis_stream_max_deleted_entry_id{db=\"db2\",stream=\"orders\"} 0",
      "redis_stream_group_consumer_messages_pending{db=\"db2\",stream=\"orders\",group=\"fulfil\",consumer=\"worker-2\"} 5",
      "redis_stream_group_consumer_idle_seconds{db=\"db2\",stream=\"orders\",group=\"fulfil\",consumer=\"worker-1\"} 9.674",
    ] {
      #expect(text.contains(line), "\(line)\nin\n\(text)")
    }
  }

  @Test func anUnknownLagIsAbsent() throws {
    let groups =
      "*1 *12 $4 name $1 g $9 consumers :0 $7 pending :0 $17 last-delivered-id $3 5-0 $12 entries-read $-1 $3 lag $-1"
    let report = try #require(StreamReport(name: [1], stream: reply(Self.newStream), groups: reply(groups)))
    #expect(report.groups[0].lag == nil && report.groups[0].entriesRead == nil)
    let text = page { report.add(database: 0, nowMilliseconds: 1, into: &$0) }
    #expect(!text.contains("group_lag{") && !text.contains("entries_read"))
    // Nothing is pending: that is known.
    #expect(text.contains("oldest_pending_seconds") && report.oldestPendingSeconds(of: report.groups[0], nil) == 0)
  }

  @Test func anEmptyStreamHasEntryIdsOfZero() throws {
    let stream = "*8 $6 length :0 $11 first-entry $-1 $10 last-entry $-1 $17 last-generated-id $15 1795411985539-0"
    let report = try #require(StreamReport(name: [1], stream: reply(stream), groups: reply(Self.newGroups)))
    #expect(report.firstEntry == 0 && report.lastEntry == 0)
    #expect(report.lagSeconds(of: report.groups[0]) == 0)
  }

  @Test func idsThatAreNoClockTimesGiveNoSeconds() throws {
    let stream = "*6 $6 length :2 $11 first-entry *2 $3 1-1 *0 $17 last-generated-id $3 9-1"
    let groups = "*1 *8 $4 name $1 g $9 consumers :0 $7 pending :1 $17 last-delivered-id $3 1-1"
    var report = try #require(StreamReport(name: [1], stream: reply(stream), groups: reply(groups)))
    report.groups[0].readPending(try reply("*4 :1 $3 1-1 $3 1-1 *0"))
    #expect(report.lagSeconds(of: report.groups[0]) == nil)
    #expect(report.oldestPendingSeconds(of: report.groups[0], 1_795_411_985_539) == nil)
  }

  @Test func aGroupThatWasGivenNothingLagsSinceTheFirstEntry() throws {
    let groups = "*1 *8 $4 name $1 g $9 consumers :0 $7 pending :0 $17 last-delivered-id $3 0-0"
    let report = try #require(StreamReport(name: [1], stream: reply(Self.newStream), groups: reply(groups)))
    #expect(report.lagSeconds(of: report.groups[0]) == 0.115)
  }

  @Test func idempotencyIsShownWhereTheServerTells() throws {
    let stream = """
      *14 $6 length :2 $13 idmp-duration :100 $12 idmp-maxsize :50 $12 pids-tracked :1 $12 iids-tracked :2
      $10 iids-added :9 $15 iids-duplicates :4
      """
    let report = try #require(StreamReport(name: Array("s".utf8), stream: reply(stream), groups: nil))
    #expect(
      page { report.add(database: 0, nowMilliseconds: nil, into: &$0) } == """
        redis_stream_idmp_duplicates_total{db="db0",stream="s"} 4
        redis_stream_idmp_duration_seconds{db="db0",stream="s"} 100
        redis_stream_idmp_entries_added_total{db="db0",stream="s"} 9
        redis_stream_idmp_idempotent_ids_tracked{db="db0",stream="s"} 2
        redis_stream_idmp_max_size{db="db0",stream="s"} 50
        redis_stream_idmp_producer_ids_tracked{db="db0",stream="s"} 1
        redis_stream_length{db="db0",stream="s"} 2
        """)
  }

  @Test func whatWasGivenBackIsReadFromTheFullReply() throws {
    var report = try #require(StreamReport(name: [1], stream: reply(Self.newStream), groups: reply(Self.newGroups)))
    report.readFull(try reply("*4 $6 length :30 $6 groups *1 *4 $4 name $6 fulfil $12 nacked-count :3"))
    #expect(report.groups[0].nacked == 3)
  }
}
