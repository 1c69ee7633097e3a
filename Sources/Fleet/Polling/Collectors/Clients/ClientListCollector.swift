import Config
import Metrics
import Redis
import Runtime

/// CLIENT LIST: a group of series for each client where that is asked for, and totals over all.
struct ClientListCollector: Collector {
  let name = "client_list"
  var families: [Family] {
    [Self.info, Self.createdAt, Self.idleSince] + Self.numbers.map(\.family) + ClientTotals.families
  }
  private static let whereListed: [Family.Trait] = [.flag("`--export-client-list`")]
  private static let info = Family.gauge(
    "connected_client_info", "A connected client; the value is always 1 (CLIENT LIST).",
    labels: ["id", "name", "flags", "db", "host", "port", "user", "resp"], traits: whereListed)
  private static let createdAt = gauge(
    "connected_client_created_at_timestamp", .seconds, "When the client connected, in seconds since the epoch", "age")
  private static let idleSince = gauge(
    "connected_client_idle_since_timestamp", .seconds,
    "When the client last sent a command, in seconds since the epoch", "idle")

  private static let numbers: [(field: String, family: Family)] =
    [
      ("sub", "connected_client_channel_subscriptions_count", .none, "Channels that the client is subscribed to"),
      (
        "psub", "connected_client_pattern_matching_subscriptions_count", .none,
        "Patterns that the client is subscribed to"
      ),
      (
        "ssub", "connected_client_shard_channel_subscriptions_count", .none,
        "Shard channels that the client is subscribed to"
      ),
      ("watch", "connected_client_shard_channel_watched_keys", .none, "Keys that the client watches with WATCH"),
      ("qbuf", "connected_client_query_buffer_length_bytes", .bytes, "Bytes in the client's query buffer"),
      (
        "qbuf-free", "connected_client_query_buffer_free_space_bytes", .bytes, "Bytes free in the client's query buffer"
      ),
      ("obl", "connected_client_output_buffer_length_bytes", .bytes, "Bytes in the client's fixed output buffer"),
      (
        "oll", "connected_client_output_list_length", .none,
        "Replies in the client's output list, which takes what the fixed buffer cannot hold"
      ),
      (
        "omem", "connected_client_output_buffer_memory_usage_bytes", .bytes,
        "Memory of the client's output list, in bytes"
      ),
      (
        "tot-mem", "connected_client_total_memory_consumed_bytes", .bytes,
        "Memory of all buffers of the client, in bytes"
      ),
    ].map { field, name, unit, help in (field, gauge(name, unit, help, field)) } + counters

  private static let counters: [(field: String, family: Family)] = [
    ("read-events", "connected_client_read_events_total", "Times that the server read from the client"),
    (
      "avg-pipeline-len-sum", "connected_client_pipeline_commands_total",
      "Commands in the batches that were parsed from the client's input"
    ),
    (
      "avg-pipeline-len-cnt", "connected_client_pipeline_batches_total",
      "Batches with at least one command that were parsed from the client's input"
    ),
  ].map { field, name, help in
    (field, .counter(name, "\(help) (CLIENT LIST \(field)).", labels: ["id", "name"], traits: whereListed))
  }

  private static func gauge(_ name: String, _ unit: Unit, _ help: String, _ field: String) -> Family {
    .gauge(name, "\(help) (CLIENT LIST \(field)).", labels: ["id", "name"], unit: unit, traits: whereListed)
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    options.clients.areListed || options.clients.areSummed ? [["CLIENT", "LIST"]] : []
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let text = poll.replies.first?.bytes else { throw CollectorError("CLIENT LIST is not a text") }
    var totals = ClientTotals()
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let client = ConnectedClient(line) else { continue }
      totals.add(client)
      if poll.options.clients.areListed { add(client, poll, into: &sink) }
    }
    totals.write(namesLimit: poll.options.clientNamesLimit, into: &sink)
  }

  private func add(_ client: ConnectedClient, _ poll: PollContext, into sink: inout SampleSink) {
    sink.add(
      Self.info, 1,
      [
        LabelValue(client.id), LabelValue(client.name), LabelValue(client.flags), LabelValue(client.db),
        LabelValue(client.host), poll.options.clients.havePorts ? LabelValue(client.port) : .absent,
        client.user.isEmpty ? .absent : LabelValue(client.user),
        client.resp.isEmpty ? .absent : LabelValue(client.resp),
      ])
    let labels = [LabelValue(client.id), LabelValue(client.name)]
    let nowSeconds = poll.now.seconds.rounded(.down)
    if let age = client["age"] { sink.add(Self.createdAt, nowSeconds - age, labels) }
    if let idle = client["idle"] { sink.add(Self.idleSince, nowSeconds - idle, labels) }
    for (field, family) in Self.numbers {
      if let value = client[field] { sink.add(family, value, labels) }
    }
  }
}
