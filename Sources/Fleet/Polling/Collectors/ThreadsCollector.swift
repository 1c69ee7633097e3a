import Metrics
import Redis

/// What each input/output thread does: how busy it is (Valkey), or whom it serves (Redis).
struct ThreadsCollector: Collector {
  let name = "threads"
  var families: [Family] { [Self.activeTime, Self.clients] + Self.work.map(\.family) }
  var readsInfoOnly: Bool { true }

  private static let activeTime = Family.counter(
    "active_time_io_thread_seconds_total",
    "Time in which the input/output thread was busy, in seconds (INFO used_active_time_io_thread_N).",
    labels: ["thread"], unit: .seconds)
  private static let clients = Family.gauge(
    "io_thread_clients",
    "Clients that the input/output thread serves; 0 is the main thread (INFO io_thread_N clients).",
    labels: ["thread"], traits: [.since("8.0")])
  private static let work: [(field: String, family: Family)] = [
    ("reads", "Read events that the input/output thread processed; 0 is the main thread"),
    ("writes", "Write events that the input/output thread processed; 0 is the main thread"),
  ].map { field, help in
    let name = "io_thread_\(field)_total"
    return (field, .counter(name, "\(help) (INFO io_thread_N \(field)).", labels: ["thread"], traits: [.since("8.0")]))
  }

  private static let timePrefix = "used_active_time_io_thread_"
  private static let threadPrefix = "io_thread_"

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    let info = poll.info
    for field in info.fields(inSection: "CPU") where isNumbered(info.name(of: field), prefix: Self.timePrefix) {
      guard let seconds = parseDouble(info.value(of: field)) else { continue }
      sink.add(Self.activeTime, seconds, LabelValue(info.name(of: field).dropFirst(Self.timePrefix.utf8.count)))
    }
    for field in info.fields(inSection: "Threads") where isNumbered(info.name(of: field), prefix: Self.threadPrefix) {
      let thread = LabelValue(info.name(of: field).dropFirst(Self.threadPrefix.utf8.count))
      for (key, text) in InfoPairs(info.value(of: field)) {
        guard let value = parseDouble(text) else { continue }
        if key.elementsEqual("clients".utf8) {
          sink.add(Self.clients, value, thread)
        } else if let work = Self.work.first(where: { key.elementsEqual($0.field.utf8) }) {
          sink.add(work.family, value, thread)
        }
      }
    }
  }
}
