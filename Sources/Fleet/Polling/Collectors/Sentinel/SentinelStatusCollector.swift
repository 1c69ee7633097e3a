import Metrics
import Redis

/// The masters of a Sentinel as its INFO has them: one `masterN` line each.
struct SentinelStatusCollector: Collector {
  let name = "sentinel_status"
  var families: [Family] { [Self.status, Self.slaves, Self.sentinels] }
  var readsInfoOnly: Bool { true }

  private static let status = Family.gauge(
    "sentinel_master_status",
    "Whether the Sentinel considers the master ok, 1 or 0; the label has the state that it reports (INFO masterN status).",
    labels: ["master_name", "master_address", "master_status"])
  private static let slaves = Family.gauge(
    "sentinel_master_slaves",
    "Replicas of the master that the Sentinel knows, including those long gone (INFO masterN slaves).",
    labels: SentinelMaster.labelNames)
  private static let sentinels = Family.gauge(
    "sentinel_master_sentinels", "Sentinels that monitor the master, including this one (INFO masterN sentinels).",
    labels: SentinelMaster.labelNames)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: InfoSection.sentinel)
    where isNumbered(poll.info.name(of: field), prefix: "master") {
      var master: [String: ArraySlice<UInt8>] = [:]
      for (key, text) in InfoPairs(poll.info.value(of: field)) {
        master[String(decoding: key, as: UTF8.self)] = text
      }
      guard let name = master["name"], let status = master["status"] else { continue }
      let labels = [LabelValue(name), LabelValue(master["address"] ?? [])]
      sink.add(Self.status, status.elementsEqual("ok".utf8) ? 1 : 0, labels + [LabelValue(status)])
      if let count = master["slaves"].flatMap({ parseDouble($0) }) { sink.add(Self.slaves, count, labels) }
      if let count = master["sentinels"].flatMap({ parseDouble($0) }) {
        sink.add(Self.sentinels, count, labels)
      }
    }
  }
}
