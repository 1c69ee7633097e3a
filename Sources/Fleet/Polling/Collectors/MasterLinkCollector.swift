import Metrics
import Redis

/// A replica's link to its master, or to each of its masters: KeyDB numbers further ones as `master_1_host`.
struct MasterLinkCollector: Collector {
  let name = "master_link"
  var families: [Family] { [Self.info, Self.linkUp, Self.linkDown] + Self.numbers.map(\.family) }
  var readsInfoOnly: Bool { true }

  private static let labels = ["master_host", "master_port"]
  private static let info = Family.gauge(
    "slave_info", "The replica's master and whether it refuses writes; the value is always 1 (INFO slave_read_only).",
    labels: labels + ["read_only"])
  private static let linkUp = Family.gauge(
    "master_link_up", "Whether the link to the master is up, 1 or 0 (INFO master_link_status).", labels: labels)
  private static let linkDown = Family.gauge(
    "master_link_down_seconds",
    "Seconds since the link to the master went down; absent while it is up or was never up (INFO master_link_down_since_seconds).",
    labels: labels, unit: .seconds)

  private struct Number: Sendable {
    /// What follows `master_` or `master_1_`, or the whole field of those that KeyDB does not number.
    let field: String
    let family: Family
    var reading = InfoField.Reading.number

    func value(_ text: ArraySlice<UInt8>) -> Double? {
      InfoField(field: field, family: family, reading: reading, gate: .always).value(of: text)
    }
  }

  private static let numbers: [Number] = [
    Number(
      field: "last_io_seconds_ago",
      family: .gauge(
        "master_last_io_seconds_ago",
        "Seconds since data last came from the master; -1 while the link is down (INFO master_last_io_seconds_ago).",
        labels: labels, unit: .seconds)),
    Number(
      field: "sync_in_progress",
      family: .gauge(
        "master_sync_in_progress", "Whether the master is sending a full sync, 1 or 0 (INFO master_sync_in_progress).",
        labels: labels)),
    Number(
      field: "sync_total_bytes",
      family: .gauge(
        "master_sync_size_bytes",
        "Size of the full sync in progress, in bytes; 0 if the master did not announce it (INFO master_sync_total_bytes).",
        labels: labels, unit: .bytes)),
    Number(
      field: "sync_read_bytes",
      family: .gauge(
        "master_sync_read_bytes",
        "Part of the full sync in progress that has arrived, in bytes (INFO master_sync_read_bytes).",
        labels: labels, unit: .bytes)),
    Number(
      field: "sync_left_bytes",
      family: .gauge(
        "master_sync_left_bytes",
        "Part of the full sync in progress still to come, in bytes; absent if the size is not known (INFO master_sync_left_bytes).",
        labels: labels, unit: .bytes),
      reading: .ifNotNegative),
    Number(
      field: "sync_perc",
      family: .gauge(
        "master_sync_progress_ratio",
        "Share of the full sync in progress that has arrived, 0 to 1 (INFO master_sync_perc).",
        labels: labels, unit: .ratio),
      reading: .percentage),
    Number(
      field: "sync_last_io_seconds_ago",
      family: .gauge(
        "master_sync_last_io_seconds_ago",
        "Seconds since data of the full sync in progress last arrived (INFO master_sync_last_io_seconds_ago).",
        labels: labels, unit: .seconds)),
    Number(
      field: "slave_repl_offset",
      family: .gauge(
        "slave_repl_offset",
        "Offset in the replication stream that the replica has applied, in bytes (INFO slave_repl_offset).",
        labels: labels, unit: .bytes, traits: [.growing])),
    Number(
      field: "slave_read_repl_offset",
      family: .gauge(
        "slave_read_repl_offset",
        "Offset in the replication stream that the replica has read, in bytes (INFO slave_read_repl_offset).",
        labels: labels, unit: .bytes, traits: [.growing])),
  ]

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] { [] }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    let info = poll.info
    // Whatever its role is called, one that follows a master names it.
    guard info["master_host"] != nil else { return }
    let access = LabelValue(info["slave_read_only"] ?? info["replica_read_only"] ?? [])

    // The lines of one master follow its host and port.
    var link: [LabelValue] = [.text(""), .text("")]
    for field in info.replicationFields {
      let text = info.value(of: field)
      let suffix = MasterLinks.suffix(info.name(of: field))
      if suffix.elementsEqual("host".utf8) {
        link[0] = LabelValue(text)
      } else if suffix.elementsEqual("port".utf8) {
        link[1] = LabelValue(text)
        sink.add(Self.info, 1, link + [access])
      } else if suffix.elementsEqual("link_status".utf8) {
        if let isUp = isYes(text) { sink.add(Self.linkUp, isUp ? 1 : 0, link) }
      } else if suffix.elementsEqual("link_down_since_seconds".utf8) {
        if let seconds = parseDouble(text), seconds >= 0 { sink.add(Self.linkDown, seconds, link) }
      } else if let number = Self.numbers.first(where: { suffix.elementsEqual($0.field.utf8) }),
        let value = number.value(text)
      {
        sink.add(number.family, value, link)
      }
    }
  }
}
