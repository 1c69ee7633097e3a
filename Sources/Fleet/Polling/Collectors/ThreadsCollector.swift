import Metrics
import Redis

/// How busy each input/output thread of a Valkey server is.
struct ThreadsCollector: Collector {
  let name = "threads"
  var families: [Family] { [Self.activeTime] }
  var readsInfoOnly: Bool { true }

  private static let activeTime = Family.counter(
    "active_time_io_thread_seconds_total",
    "Time in which the input/output thread was busy, in seconds (INFO used_active_time_io_thread_N).",
    labels: ["thread"], unit: .seconds)
  private static let prefix = "used_active_time_io_thread_"

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: "CPU") {
      let name = poll.info.name(of: field)
      guard isNumbered(name, prefix: Self.prefix), let seconds = parseDouble(poll.info.value(of: field))
      else { continue }
      sink.add(Self.activeTime, seconds, LabelValue(name.dropFirst(Self.prefix.utf8.count)))
    }
  }
}
