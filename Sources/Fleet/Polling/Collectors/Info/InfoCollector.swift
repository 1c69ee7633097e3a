import Metrics
import Redis

/// Every field of INFO that is a plain number, by the table ``InfoFields``.
struct InfoCollector: Collector {
  let name = "info"
  var families: [Family] { InfoFields.table.families }
  var readsInfoOnly: Bool { true }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    InfoFields.table.collect(poll.info, poll.options, source: "INFO", into: &sink)
  }
}
