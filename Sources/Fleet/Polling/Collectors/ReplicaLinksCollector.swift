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
    var links: [Link] = []
    for field in poll.info.replicationFields where isNumbered(poll.info.name(of: field), prefix: "slave") {
      var pairs: [String: ArraySlice<UInt8>] = [:]
      for (key, value) in InfoPairs(poll.info.value(of: field)) {
        pairs[String(decoding: key, as: UTF8.self)] = value
      }
      guard let offset = pairs["offset"].flatMap({ parseDouble($0) }) else { continue }
      // Where no state is named, as by Kvrocks, `lag` counts writes.
      let lag = pairs["state"] == nil ? nil : pairs["lag"].flatMap { parseDouble($0) }.flatMap { $0 < 0 ? nil : $0 }
      let link = Link(names: ["ip", "port", "state"].map { pairs[$0] ?? [] }, offset: offset, lag: lag)
      if let index = links.firstIndex(where: { $0.names == link.names }) {
        links[index].worsen(to: link)
      } else {
        links.append(link)
      }
    }
    for link in links {
      let labels = link.names.map { LabelValue($0) }
      sink.add(Self.offset, link.offset, labels)
      if let lag = link.lag { sink.add(Self.lag, lag, labels) }
    }
  }

  /// What the labels name: behind a translated address that may be several replicas, and the worst of them counts.
  private struct Link {
    let names: [ArraySlice<UInt8>]
    var offset: Double
    var lag: Double?

    mutating func worsen(to other: Link) {
      offset = min(offset, other.offset)
      lag = [lag, other.lag].compactMap { $0 }.max()
    }
  }
}

/// Whether a field is `prefix` and a number, such as `slave0`.
func isNumbered(_ field: ArraySlice<UInt8>, prefix: String) -> Bool {
  let digits = field.dropFirst(prefix.utf8.count)
  return field.starts(with: prefix.utf8) && !digits.isEmpty
    && digits.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
}
