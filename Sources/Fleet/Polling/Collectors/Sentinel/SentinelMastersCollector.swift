import Metrics
import Redis

/// SENTINEL MASTERS, and of each master SENTINEL SENTINELS and SENTINEL SLAVES.
struct SentinelMastersCollector: Collector {
  let name = "sentinel_masters"
  var families: [Family] { Self.numbers.map(\.family) + [Self.okSentinels, Self.okSlaves, Self.peer] }

  private struct Number: Sendable {
    let field: String
    let divisor: Double
    let family: Family
    init(
      _ field: String, dividedBy divisor: Double = 1, as name: String, _ unit: Unit = .none,
      traits: [Family.Trait] = [], help: String
    ) {
      self.field = field
      self.divisor = divisor
      family = .gauge(
        name, "\(help) (SENTINEL MASTERS \(field)).", labels: SentinelMaster.labelNames, unit: unit,
        traits: traits)
    }
  }

  private static let numbers = [
    Number(
      "quorum", as: "sentinel_master_setting_ckquorum",
      help: "Number of Sentinels that must agree that the master is down"),
    Number(
      "failover-timeout", as: "sentinel_master_setting_failover_timeout", .milliseconds,
      help: "Configured time limit of a failover, in milliseconds"),
    Number(
      "parallel-syncs", as: "sentinel_master_setting_parallel_syncs",
      help: "Maximum number of replicas that may sync with a new master at once"),
    Number(
      "down-after-milliseconds", as: "sentinel_master_setting_down_after_milliseconds", .milliseconds,
      help: "Time without a valid reply after which the Sentinel considers the master down, in milliseconds"),
    Number(
      "config-epoch", as: "sentinel_master_config_epoch",
      traits: [.growing], help: "Epoch of the master's configuration; a failover raises it"),
    Number(
      "last-ok-ping-reply", dividedBy: 1e3, as: "sentinel_master_last_ok_ping_reply_seconds", .seconds,
      help: "Seconds since the master's last valid reply to a PING"),
  ]
  private static let okSentinels = Family.gauge(
    "sentinel_master_ok_sentinels",
    "Sentinels of the master, including this one, that this one does not consider down (SENTINEL SENTINELS flags).",
    labels: SentinelMaster.labelNames)
  private static let okSlaves = Family.gauge(
    "sentinel_master_ok_slaves",
    "Replicas of the master that this Sentinel does not consider down (SENTINEL SLAVES flags).",
    labels: SentinelMaster.labelNames)
  private static let peer = Family.gauge(
    "sentinel_peer_info", "Another Sentinel that monitors the master; the value is always 1 (SENTINEL SENTINELS).",
    labels: SentinelMaster.labelNames + ["name", "ip", "port", "runid", "flags"],
    traits: [.flag("`--include-sentinel-peer-info`")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard server.mode == .sentinel else { return [] }
    // SENTINEL REPLICAS would need Redis 5.
    return [["SENTINEL", "MASTERS"]]
      + server.sentinelMasters.flatMap { [["SENTINEL", "SENTINELS", $0], ["SENTINEL", "SLAVES", $0]] as [Command] }
  }

  func recording(of command: Command) -> ReplyRecording { .pairs(SentinelFields.recorded) }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let elements = poll.replies.first?.elements else {
      throw CollectorError("SENTINEL MASTERS is not a list")
    }
    let masters = elements.compactMap { SentinelMaster($0) }
    for master in masters {
      for number in Self.numbers {
        if let value = master.details.field(number.field)?.double {
          sink.add(number.family, value / number.divisor, master.labels)
        }
      }
    }
    for (index, name) in poll.server.sentinelMasters.enumerated() {
      guard let master = masters.first(where: { $0.name.elementsEqual(name.utf8) }),
        poll.replies.count > 2 * index + 2
      else { continue }
      guard let sentinels = poll.replies[2 * index + 1].elements,
        let slaves = poll.replies[2 * index + 2].elements
      else { throw CollectorError("SENTINEL SENTINELS or SENTINEL SLAVES is not a list") }
      sink.add(Self.okSentinels, Double(1 + sentinels.filter(isAlive).count), master.labels)
      sink.add(Self.okSlaves, Double(slaves.filter(isAlive).count), master.labels)
      if poll.options.includesSentinelPeers {
        for sentinel in sentinels {
          let parts = ["name", "ip", "port", "runid", "flags"].map { LabelValue(sentinel.field($0)?.bytes ?? []) }
          sink.add(Self.peer, 1, master.labels + parts)
        }
      }
    }
  }
}
