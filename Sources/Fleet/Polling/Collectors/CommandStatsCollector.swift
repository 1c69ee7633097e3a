import Metrics
import Redis

/// Calls, time, refusals and failures of each command: the section Commandstats.
struct CommandStatsCollector: Collector {
  let name = "commandstats"
  var families: [Family] {
    [
      Self.calls, Self.seconds, Self.rejected, Self.failed, Self.slowCalls, Self.slowSeconds,
      Self.slowSecondsMax,
    ]
  }
  var readsInfoOnly: Bool { true }

  private static let calls = Family.counter(
    "commands_total", "Calls of the command (INFO cmdstat_* calls).", labels: ["cmd"])
  private static let seconds = Family.counter(
    "commands_duration_seconds_total", "Total time of the command's calls, in seconds (INFO cmdstat_* usec).",
    labels: ["cmd"], unit: .seconds)
  private static let rejected = Family.counter(
    "commands_rejected_calls_total",
    "Calls of the command that were refused before they ran (INFO cmdstat_* rejected_calls).", labels: ["cmd"])
  private static let failed = Family.counter(
    "commands_failed_calls_total", "Calls of the command that ran and failed (INFO cmdstat_* failed_calls).",
    labels: ["cmd"])
  private static let slowCalls = Family.counter(
    "commands_slowlog_total", "Calls of the command that went to the slow log (INFO cmdstat_* slowlog_count).",
    labels: ["cmd"])
  private static let slowSeconds = Family.counter(
    "commands_slowlog_duration_seconds_total",
    "Total time of the command's calls in the slow log, in seconds (INFO cmdstat_* slowlog_time_ms_sum).",
    labels: ["cmd"], unit: .seconds)
  private static let slowSecondsMax = Family.gauge(
    "commands_slowlog_duration_seconds_max",
    "Longest time of a call of the command in the slow log, in seconds (INFO cmdstat_* slowlog_time_ms_max).",
    labels: ["cmd"], unit: .seconds)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: InfoSection.commandStats) {
      guard let command = CommandUsage.command(of: poll.info.name(of: field)) else { continue }
      let cmd = LabelValue(command)
      for (key, text) in InfoPairs(poll.info.value(of: field)) {
        guard let (family, divisor) = Self.family(key), let value = parseDouble(text) else { continue }
        sink.add(family, value / divisor, cmd)
      }
    }
  }

  /// The family of a key and what its number is divided by.
  private static func family(_ key: ArraySlice<UInt8>) -> (Family, Double)? {
    // By length first: there are hundreds of lines with the same five keys.
    switch key.count {
    case 4: key.elementsEqual("usec".utf8) ? (seconds, 1e6) : nil
    case 5: key.elementsEqual("calls".utf8) ? (calls, 1) : nil
    case 12: key.elementsEqual("failed_calls".utf8) ? (failed, 1) : nil
    case 13: key.elementsEqual("slowlog_count".utf8) ? (slowCalls, 1) : nil
    case 14: key.elementsEqual("rejected_calls".utf8) ? (rejected, 1) : nil
    case 19:
      key.elementsEqual("slowlog_time_ms_sum".utf8)
        ? (slowSeconds, 1e3)
        : key.elementsEqual("slowlog_time_ms_max".utf8) ? (slowSecondsMax, 1e3) : nil
    default: nil
    }
  }
}
