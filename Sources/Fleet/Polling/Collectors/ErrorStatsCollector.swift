import Metrics
import Redis

/// Error replies by their first word: the section Errorstats.
struct ErrorStatsCollector: Collector {
  let name = "errorstats"
  var families: [Family] { [Self.errors] }
  var readsInfoOnly: Bool { true }

  private static let errors = Family.counter(
    "errors_total", "Error replies by their first word (INFO errorstat_* count).",
    labels: ["err"])
  private static let prefix = Array("errorstat_".utf8)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: InfoSection.errorStats) {
      let name = poll.info.name(of: field)
      guard name.starts(with: Self.prefix) else { continue }
      for (key, text) in InfoPairs(poll.info.value(of: field)) where key.elementsEqual("count".utf8) {
        if let count = parseDouble(text) {
          sink.add(Self.errors, count, LabelValue(name.dropFirst(Self.prefix.count)))
        }
      }
    }
  }
}
