import Metrics
import Redis

/// SENTINEL CONFIG GET *: the Sentinel's own settings, without secrets.
struct SentinelConfigCollector: Collector {
  let name = "sentinel_config"
  var families: [Family] { [Self.keyValue, Self.value] }

  private static let keyValue = Family.gauge(
    "sentinel_config_key_value",
    "A configuration key of the Sentinel with its value as a label; the value is always 1 (SENTINEL CONFIG GET).",
    labels: ["key", "value"], traits: [.flag("`--include-config-metrics`")])
  private static let value = Family.gauge(
    "sentinel_config_value", "The value of a configuration key of the Sentinel that is a number (SENTINEL CONFIG GET).",
    labels: ["key"], traits: [.flag("`--include-config-metrics`")])

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard options.includesConfig, server.mode == .sentinel, server.version >= Version(6, 2) else { return [] }
    return [["SENTINEL", "CONFIG", "GET", "*"]]
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let config = poll.replies.first.flatMap({ ServerConfig($0) }) else {
      throw CollectorError("SENTINEL CONFIG GET is not a list of strings")
    }
    for entry in config.entries {
      let key = config.key(of: entry)
      if poll.options.redactsConfig, Secret.isKey(key) { continue }
      let text = config.value(of: entry)
      sink.add(Self.keyValue, 1, [LabelValue(key), LabelValue(text)])
      if let value = parseDouble(text) { sink.add(Self.value, value, LabelValue(key)) }
    }
  }
}
