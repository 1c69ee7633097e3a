import Metrics
import Redis

/// The slow log: its length and its newest entry. Nothing of a command's arguments is shown.
struct SlowlogCollector: Collector {
  let name = "slowlog"
  var families: [Family] { [Self.length, Self.lastID, Self.lastDuration, Self.lastTime, Self.entries] }

  private static let length = Family.gauge(
    "slowlog_length", "Entries in the slow log, at most slowlog-max-len (SLOWLOG LEN).")
  private static let lastID = Family.gauge(
    "slowlog_last_id", "Id of the newest entry in the slow log; 0 if it is empty (SLOWLOG GET).", traits: [.growing])
  private static let lastDuration = Family.gauge(
    "last_slow_execution_duration_seconds",
    "Duration of the newest command in the slow log, in seconds; 0 if it is empty (SLOWLOG GET).", unit: .seconds)
  private static let lastTime = Family.gauge(
    "last_slow_execution_timestamp_seconds",
    "Time of the newest command in the slow log, in seconds since the epoch; absent if it is empty (SLOWLOG GET).",
    unit: .seconds)
  private static let entries = Family.counter(
    "slowlog_entries_total",
    "Commands written to the slow log since the start; absent after SLOWLOG RESET until the next entry (SLOWLOG GET)."
  )

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    guard server.mode != .sentinel, server.version >= Version(2, 2, 12) else { return [] }
    return [["SLOWLOG", "LEN"], ["SLOWLOG", "GET", "1"]]
  }

  /// Number, time and duration of an entry; what was sent, and by whom, comes behind them.
  func recording(of command: Command) -> ReplyRecording {
    command.description == "SLOWLOG LEN" ? .numbersAndWords : .leadingNumbers(3)
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard poll.replies.count == 2, let length = poll.replies[0].double,
      let entries = poll.replies[1].elements
    else { throw CollectorError("SLOWLOG LEN is not a number or SLOWLOG GET not a list") }
    sink.add(Self.length, length)

    guard let entry = entries[0]?.elements else {
      sink.add(Self.lastID, 0)
      sink.add(Self.lastDuration, 0)
      if !wasEmptied(poll) { sink.add(Self.entries, 0) }
      return
    }
    guard let id = entry[0]?.double, let time = entry[1]?.double, let microseconds = entry[2]?.double
    else { throw CollectorError("SLOWLOG GET has an entry without number, time or duration") }
    sink.add(Self.lastID, id)
    sink.add(Self.lastDuration, microseconds / 1e6)
    sink.add(Self.lastTime, time)
    // Entries are numbered from 0 and SLOWLOG RESET does not restart them.
    sink.add(Self.entries, id + 1)
  }

  /// Whether the log may have had entries before: SLOWLOG RESET was called, or cannot be told from our own SLOWLOG GET.
  private func wasEmptied(_ poll: PollContext) -> Bool {
    poll.server.version < Version(7) || poll.info["cmdstat_slowlog|reset"] != nil
      || poll.info["cmdstat_commandlog|reset"] != nil
  }
}
