import Metrics
import NIOCore
import Redis
import Runtime

/// What key work has cost the server and how it goes: its own series.
final class KeyWorkCost: Sendable {
  static let passTimestamp = Family.gauge(
    "exporter_key_work_last_pass_timestamp_seconds",
    "Time when the last complete pass of background work on keys ended, in seconds since the epoch; its results are as old as that.",
    unit: .seconds)
  static let lookupTimestamp = Family.gauge(
    "exporter_key_work_last_lookup_timestamp_seconds",
    "Time of the last look at single keys, single streams and scripts, in seconds since the epoch.", unit: .seconds)
  static let passDuration = Family.gauge(
    "exporter_key_work_pass_duration_seconds",
    "Duration of the last complete pass, including the pauses that keep it within its share of time.", unit: .seconds)
  static let progress = Family.gauge(
    "exporter_key_work_pass_progress_ratio",
    "Share of the keyspace that the pass in progress has scanned, by the number of keys at its start; 1 between passes.",
    unit: .ratio)
  static let duty = Family.gauge(
    "exporter_key_work_duty_ratio", "The share of time that batches of key work may take.", unit: .ratio)
  static let keysScanned = Family.counter(
    "exporter_key_work_keys_scanned_total", "Key names that SCAN returned to key work.")
  static let commands = Family.counter("exporter_key_work_commands_total", "Commands that key work sent.")
  static let lookups = Family.counter(
    "exporter_key_work_lookups_total",
    "Commands of key work that the server counts as a keyspace hit or miss: subtract them from its hit ratio.")
  static let busy = Family.counter(
    "exporter_key_work_busy_seconds_total",
    "Time from writing batches to their last reply, without four fifths of the round trip: the server spent at most this.",
    unit: .seconds)
  static let errors = Family.counter(
    "exporter_key_work_errors_total", "Passes of key work that ended early, by class of error.", labels: ["class"])
  static let dropped = Family.counter(
    "exporter_key_work_dropped_series_total",
    "Series that key work left out, as duplicates or because there were too many.")
  static let refused = Family.gauge(
    "exporter_key_work_refused",
    "1 for a command that the server refuses to key work; it is left out for an hour.", labels: ["command"])

  let commandCount = Counter(KeyWorkCost.commands)
  let lookupCount = Counter(KeyWorkCost.lookups)
  let scannedCount = Counter(KeyWorkCost.keysScanned)
  let busySeconds = Counter(KeyWorkCost.busy)
  let errorCount = LabelledCounter(KeyWorkCost.errors)
  let droppedCount = Counter(KeyWorkCost.dropped)

  private struct State {
    var passEnded: WallTime?
    var lookupEnded: WallTime?
    var passSeconds: Double?
    var groupSeconds = 0.0
    var progress: Double?
    var refused: [String] = []
    var followRefused: String?
    var dutyRatio: Double
  }
  private let state: Lock<State>
  /// What all parts of the daemon cost the target together.
  let node: NodeCost

  init(dutyRatio: Double, node: NodeCost = NodeCost()) {
    state = Lock(State(dutyRatio: dutyRatio))
    self.node = node
    errorCount.initialize(RedisError.Class.allCases.map(\.rawValue))
  }

  /// - Parameters:
  ///   - seconds: the server's share of the time that it took.
  ///   - isTarget: whether the target itself was asked, and no other node of its cluster.
  func note(_ exchange: Exchange, of batch: CommandBatch, busySeconds seconds: Double, isTarget: Bool) {
    let lookups = batch.commands.count { $0.countsAsLookup }
    busySeconds.add(seconds)
    commandCount.add(Double(batch.commands.count))
    lookupCount.add(Double(lookups))
    if isTarget { node.note(exchange, of: batch, lookupCount: lookups) }
  }

  /// Commands of a connection whose traffic is counted apart.
  func note(_ commands: [Command], busySeconds seconds: Double) {
    let lookups = commands.count { $0.countsAsLookup }
    busySeconds.add(seconds)
    commandCount.add(Double(commands.count))
    lookupCount.add(Double(lookups))
    node.note(commandCount: commands.count, lookupCount: lookups, waitedSeconds: seconds)
  }

  func note(_ traffic: Subscription.Traffic) {
    if case .opened(let count) = traffic { commandCount.add(Double(count)) }
    node.note(traffic, countsCommands: false)
  }

  func noteConnect(_ connection: Connection, isTarget: Bool) {
    commandCount.add(Double(connection.loginCommandCount))
    if isTarget { node.noteConnect(connection) }
  }

  func noteDuty(_ ratio: Double) { state.withLock { $0.dutyRatio = ratio } }

  func noteLookups(ended now: WallTime) { state.withLock { $0.lookupEnded = now } }

  func noteProgress(_ ratio: Double) { state.withLock { $0.progress = min(1, max(0, ratio)) } }

  func noteRefused(_ commands: [String]) { state.withLock { $0.refused = commands } }

  /// - Parameter right: what following locks is refused, as an ACL names it; nil for nothing.
  func noteFollowRefused(_ right: String?) {
    let command = right.map { $0.hasPrefix("&") ? $0 : $0.replacing("|", with: " ").uppercased() }
    state.withLock { $0.followRefused = command }
  }

  func noteGroups(seconds: Double) { state.withLock { $0.groupSeconds = seconds } }

  func notePass(seconds: Double, ended now: WallTime) {
    state.withLock { state in
      state.passEnded = now
      state.passSeconds = seconds
      state.progress = 1
    }
  }

  func collect(into sink: inout SampleSink) {
    let state = state.withLock { $0 }
    sink.add(KeyFamilies.groupDuration, (state.groupSeconds * 1000).rounded())
    if let ended = state.passEnded { sink.add(Self.passTimestamp, ended.seconds) }
    if let ended = state.lookupEnded { sink.add(Self.lookupTimestamp, ended.seconds) }
    if let seconds = state.passSeconds { sink.add(Self.passDuration, seconds) }
    if let progress = state.progress { sink.add(Self.progress, progress) }
    sink.add(Self.duty, state.dutyRatio)
    for counter in [commandCount, lookupCount, scannedCount, busySeconds, droppedCount] { counter.collect(into: &sink) }
    errorCount.collect(into: &sink)
    let followRefused = state.followRefused.map { [$0] } ?? []
    for command in Set(state.refused + followRefused).sorted() { sink.add(Self.refused, 1, .text(command)) }
  }

  static let all = [
    passTimestamp, lookupTimestamp, passDuration, progress, duty, keysScanned, commands, lookups, busy, errors, dropped,
    refused,
  ]
}
