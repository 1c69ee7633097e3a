import Metrics
import Redis

/// The replicas that a master knows: one series for each `slaveN` line.
struct ReplicaLinksCollector: Collector {
  let name = "replica_links"
  var families: [Family] { [Self.offset, Self.lag] }
  var readsInfoOnly: Bool { true }

  private static let labels = ["slave_ip", "slave_port", "slave_state"]
  private static let offset = Family.gauge(
    "connected_slave_offset_bytes",
    "Offset in the replication stream that the replica has acknowledged, in bytes (INFO slaveN offset).",
    labels: labels, unit: .bytes, traits: [.growing])
  private static let lag = Family.gauge(
    "connected_slave_lag_seconds",
    "Whole seconds since the replica's last acknowledgement; 0 while it is not online (INFO slaveN lag).",
    labels: labels, unit: .seconds)

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    for field in poll.info.fields(inSection: InfoSection.replication)
    where isNumbered(poll.info.name(of: field), prefix: "slave") {
      var link: [String: ArraySlice<UInt8>] = [:]
      for (key, value) in InfoPairs(poll.info.value(of: field)) {
        link[String(decoding: key, as: UTF8.self)] = value
      }
      guard let offset = link["offset"].flatMap({ parseDouble($0) }) else { continue }
      let labels = ["ip", "port", "state"].map { LabelValue(link[$0] ?? []) }
      sink.add(Self.offset, offset, labels)
      if let lag = link["lag"].flatMap({ parseDouble($0) }), lag >= 0 {
        sink.add(Self.lag, lag, labels)
      }
    }
  }
}

/// Whether a field is `prefix` and a number, such as `slave0`.
func isNumbered(_ field: ArraySlice<UInt8>, prefix: String) -> Bool {
  let digits = field.dropFirst(prefix.utf8.count)
  return field.starts(with: prefix.utf8) && !digits.isEmpty
    && digits.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
}
