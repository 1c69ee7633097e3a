import Metrics
import Redis
import Runtime

/// What the server is: versions, mode and role as labels, and when it was started.
struct InstanceCollector: Collector {
  let name = "instance"
  var families: [Family] { [Self.info, Self.startTime, Self.failoverState] }
  var readsInfoOnly: Bool { true }

  private static let fields = [
    "role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port",
    "run_id", "process_id", "master_replid",
  ]
  /// Labels that are left out where the server has no such field.
  private static let optionalFields = ["valkey_version", "valkey_release_stage", "availability_zone"]

  private static let info = Family.gauge(
    "instance_info", "What the server is, as labels; the value is always 1 (INFO role, redis_version and others).",
    labels: fields + optionalFields,
    traits: [
      .values(["master", "slave", "active-replica"], of: "role"),
      .values(["standalone", "cluster", "sentinel"], of: "redis_mode"),
    ])
  private static let startTime = Family.gauge(
    "start_time_seconds",
    "When the server was started, in seconds since the epoch, by its own clock or, before 6.2, the exporter's (INFO uptime_in_seconds).",
    unit: .seconds)
  private static let failoverState = Family.gauge(
    "master_failover_state",
    "State of a failover begun with the command FAILOVER: 1 for the current state, 0 for the others (INFO master_failover_state).",
    labels: ["state"])
  private static let failoverStates = ["no-failover", "failover-in-progress", "waiting-for-sync"]

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    var labels = Self.fields.map { LabelValue(poll.info[$0] ?? []) }
    if poll.info["redis_mode"] == nil, let mode = poll.info["server_mode"] {
      labels[3] = LabelValue(mode)
    }
    labels += Self.optionalFields.map { field in poll.info[field].map { LabelValue($0) } ?? .absent }
    sink.add(Self.info, 1, labels)

    if let uptimeSeconds = poll.info.double("uptime_in_seconds") {
      // Uptime is counted in whole seconds of the server's clock: with any other clock the start would jitter.
      let nowSeconds = poll.info.serverSeconds ?? poll.now.seconds
      sink.add(Self.startTime, nowSeconds.rounded(.down) - uptimeSeconds)
    }
    if let state = poll.info["master_failover_state"] {
      for known in Self.failoverStates {
        sink.add(Self.failoverState, state.elementsEqual(known.utf8) ? 1 : 0, LabelValue(known))
      }
    }
  }
}
